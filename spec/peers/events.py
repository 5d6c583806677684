"""The Python side of the event specs: the tasks of a Python worker, and Python's own receiver of events.

    celery -A events worker ...     runs the tasks, which are those of events.spec.ts
    python3 events.py BROKER        says "ready", and then each event that Celery's receiver hands on, as a line of JSON
"""
import json
import os
import sys
import time

from celery import Celery
from celery.exceptions import Reject

app = Celery("events", broker=os.environ.get("CELERY_BROKER_URL"))
app.conf.task_send_sent_event = True
app.conf.worker_hijack_root_logger = False


@app.task(name="events.add")
def add(x, y=1):
    return x + y


@app.task(name="events.fail")
def fail(message):
    raise ValueError(message)


@app.task(name="events.flaky", bind=True, max_retries=1)
def flaky(self, message):
    if self.request.retries < 1:
        raise self.retry(countdown=0.1, exc=KeyError(message))
    return self.request.retries


@app.task(name="events.never", bind=True, max_retries=0)
def never(self):
    raise self.retry(countdown=0.1, exc=KeyError("never"))


@app.task(name="events.drop", acks_late=True)
def drop():
    raise Reject("no", requeue=False)


@app.task(name="events.again", acks_late=True, bind=True)
def again(self):
    if not self.request.delivery_info["redelivered"]:
        raise Reject("once more", requeue=True)
    return "done"


@app.task(name="events.drop_early")
def drop_early():
    raise Reject("too late", requeue=False)


@app.task(name="events.late_fail", acks_late=True, acks_on_failure_or_timeout=False)
def late_fail():
    raise ValueError("late")


@app.task(name="events.sleep")
def sleep(seconds):
    time.sleep(seconds)


@app.task(name="events.muted", send_events=False)
def muted():
    return None


@app.task(name="events.parent")
def parent(queue):
    add.apply_async((1, 2), queue=queue, priority=0)


def watch(broker):
    class Receiver(app.events.Receiver):
        def on_consume_ready(self, *args, **kwargs):
            super().on_consume_ready(*args, **kwargs)
            print("ready", flush=True)

    with app.connection(broker) as connection:
        receiver = Receiver(connection, handlers={"*": lambda event: print(json.dumps(event), flush=True)})
        receiver.capture(limit=None, timeout=None, wakeup=True)


if __name__ == "__main__":
    watch(sys.argv[1])
