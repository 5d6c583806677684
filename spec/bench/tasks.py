"""The tasks of the bench for Python's Celery. BENCH_BACKEND: where results go; none without it."""
import json
import os
import time

from celery import Celery

backend = os.environ.get("BENCH_BACKEND")

app = Celery("bench", backend=backend)
app.conf.task_ignore_result = backend is None


@app.task(name="bench.noop")
def noop(x, y, key=None):
    return None


@app.task(name="bench.wait")
def wait(ms, key=None):
    time.sleep(ms / 1000)


# The two hops of the Packit workload, with the trace that spec/packit/traceLog.ts describes.

queue = os.environ.get("PACKIT_QUEUE", "short-running")
trace = os.open(os.environ.get("PACKIT_TRACE", os.devnull), os.O_WRONLY | os.O_APPEND | os.O_CREAT)

PROCESS = "task.steve_jobs.process_message"
START = "task.run_copr_build_start_handler"
END = "task.run_copr_build_end_handler"
RETRY_SECONDS = 0.05


def work(task, hop, key, kind, sim, go_on=lambda: None):
    def record(what, outcome):
        line = {
            "type": what, "at": time.time() * 1000, "pid": os.getpid(), "hop": hop, "key": key, "kind": kind,
            "id": sim["id"], "retries": task.request.retries, "outcome": outcome,
        }
        os.write(trace, (json.dumps(line) + "\n").encode())

    record("begin", None)
    time.sleep(sim["run_ms"] / 1000)
    if task.request.retries < sim["fail"]:
        record("end", "retry")
        raise task.retry(countdown=RETRY_SECONDS, max_retries=5)
    go_on()
    record("end", "success")


@app.task(name=PROCESS, bind=True, acks_late=True)
def process_message(self, event, source, event_type):
    side = "start" if event_type == "copr.build.start" else "end"
    build = {**event, "build_id": event["build"]}

    def go_on():
        name = START if side == "start" else END
        app.send_task(name, kwargs={"package_config": {}, "job_config": {}, "event": build}, queue=queue)

    work(self, 1, "copr:%s:%s" % (event["build"], event["chroot"]), side, event["_sim"], go_on)


def handler(name, side):
    @app.task(name=name, bind=True, acks_late=True)
    def run(self, package_config, job_config, event):
        work(self, 2, "copr:%s:%s" % (event["build_id"], event["chroot"]), side, event["_sim"])

    return run


start_handler = handler(START, "start")
end_handler = handler(END, "end")
