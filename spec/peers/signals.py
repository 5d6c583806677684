"""The Python worker whose signals hooks.spec.ts compares our hooks with.

    SIGNALS_FILE=file celery -A signals worker ...     appends a line of JSON for each signal: its name, where it was sent, and what with
"""
import json
import os
import time
from multiprocessing import current_process

from celery import Celery, signals
from celery.exceptions import Ignore, Reject

app = Celery("signals")
app.conf.worker_hijack_root_logger = False


@app.task(name="hooked.ok")
def ok(x, y=1):
    return x + y


@app.task(name="hooked.fail")
def fail(message):
    raise ValueError(message)


@app.task(name="hooked.again", bind=True, max_retries=1)
def again(self, message):
    if self.request.retries < 1:
        raise self.retry(countdown=0.1, exc=ValueError(message))
    return self.request.retries


@app.task(name="hooked.never", bind=True, max_retries=0)
def never(self):
    raise self.retry(countdown=0.1, exc=ValueError("never"))


@app.task(name="hooked.ignore")
def ignore():
    raise Ignore()


@app.task(name="hooked.drop", acks_late=True)
def drop():
    raise Reject("no", requeue=False)


@app.task(name="hooked.slow", time_limit=1)
def slow():
    time.sleep(600)


@app.task(name="hooked.sleep")
def sleep():
    time.sleep(600)


@app.task(name="hooked.lost")
def lost():
    os._exit(3)


def told(hook, id=None, **facts):
    where = "worker" if current_process().name == "MainProcess" else "child"
    with open(os.environ["SIGNALS_FILE"], "a") as file:
        file.write(json.dumps({"hook": hook, "where": where, "id": id, "facts": facts}) + "\n")


def shown(value):
    return type(value).__name__ if isinstance(value, BaseException) else value


def call(task, args, kwargs):
    return {"task": task.name, "args": list(args), "kwargs": kwargs}


@signals.task_received.connect
def task_received(request, **_):
    told("taskReceived", request.id, task=request.name)


@signals.task_prerun.connect
def task_prerun(task_id, task, args, kwargs, **_):
    told("taskPrerun", task_id, **call(task, args, kwargs))


@signals.task_postrun.connect
def task_postrun(task_id, task, args, kwargs, retval, state, **_):
    told("taskPostrun", task_id, retval=shown(retval), state=state, **call(task, args, kwargs))


@signals.task_success.connect
def task_success(sender, result, **_):
    told("taskSuccess", sender.request.id, task=sender.name, result=result)


@signals.task_failure.connect
def task_failure(sender, task_id, exception, args, kwargs, **_):
    told("taskFailure", task_id, exception=shown(exception), **call(sender, args, kwargs))


@signals.task_retry.connect
def task_retry(sender, request, reason, **_):
    told("taskRetry", request.id, task=sender.name, reason=shown(reason), exception=shown(reason.exc))


@signals.task_revoked.connect
def task_revoked(sender, request, terminated, signum, expired, **_):
    signum = None if signum is None else int(signum)
    told("taskRevoked", request.id, task=sender.name, terminated=terminated, signum=signum, expired=expired)


@signals.task_rejected.connect
def task_rejected(message, exc, **_):
    body = message.body if isinstance(message.body, str) else bytes(message.body).decode()
    told("taskRejected", body=body, exc=exc is not None)


@signals.task_unknown.connect
def task_unknown(message, exc, name, id, **_):
    told("taskUnknown", id, name=name, exc=exc is not None)


@signals.worker_init.connect
def worker_init(**_):
    told("workerInit")


@signals.worker_process_init.connect
def worker_process_init(**_):
    told("workerProcessInit")


@signals.worker_ready.connect
def worker_ready(**_):
    told("workerReady")


@signals.worker_shutting_down.connect
def worker_shutting_down(sig, how, exitcode, **_):
    told("workerShuttingDown", sig=sig, how=how, exitcode=exitcode)


@signals.worker_shutdown.connect
def worker_shutdown(**_):
    told("workerShutdown")
