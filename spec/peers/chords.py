"""Celery's side of the chord specs: the tasks of apps/chords.ts, and a client that sends chords.

    celery -A chords worker -Q QUEUE
    chords.py forms BROKER BACKEND QUEUE,...  ...  says what became of each form, a line of JSON for each list of queues, which members go round
    chords.py many BROKER BACKEND QUEUE N M TASK   sends N chords of M members each, and says the ids of the bodies
"""
import itertools
import json
import math
import os
import socket
import sys
import time
from uuid import uuid4

from celery import Celery, chord, group, signature

app = Celery("chords")
app.conf.result_backend_transport_options = {"result_chord_ordered": os.environ.get("CHORDS_ORDERED") != "0"}


@app.task(name="chords.member", acks_late=True)
def member(value, seconds=0):
    time.sleep(seconds)
    return value


@app.task(name="chords.fail")
def fail(value):
    raise ValueError("boom")


@app.task(name="chords.body")
def body(values):
    return [math.floor(value) if isinstance(value, (int, float)) else value for value in values]


@app.task(name="chords.tell")
def tell(id):
    return "told"


def outcome(result):
    """Of the body alone: get() would raise what the header has raised."""
    value = result.get(timeout=60, propagate=False)
    if isinstance(value, Exception):
        return {"error": type(value).__name__, "text": str(value)}
    return {"value": value}


def forms(queues):
    turn = itertools.cycle(queues)
    end = signature("chords.body", queue=queues[-1])

    def one(value, task="chords.member", **options):
        return signature(task, args=(value,), queue=next(turn), **options)

    revoked = str(uuid4())
    # As the spec names them. All answers that are expected are waited for, and no longer.
    nodes = [f"{queue}@{socket.gethostname()}" for queue in set(queues)]
    assert len(app.control.revoke(revoked, destination=nodes, reply=True, timeout=60)) == len(nodes)
    told = str(uuid4())
    yield "plain", chord([one(3), one(1), one(2)])(end)
    yield "one", chord([one(1)])(end)
    yield "many", chord([one(value) for value in range(40)])(end)
    yield "ignored", chord([one(3, ignore_result=True), one(1), one(2, ignore_result=True)])(end)
    yield "chain", chord([one(3) | one(4).set(immutable=True), one(1)])(end)
    yield "failing", chord([one(3), one(1, "chords.fail"), one(2)])(end)
    tell = signature("chords.tell", queue=queues[0], task_id=told)
    yield "told", chord([one(3), one(1, "chords.fail")])(end.on_error(tell))
    yield "telling", app.AsyncResult(told)
    yield "revoked", chord([one(3), one(1, task_id=revoked)])(end)
    yield "nested", chord([chord([one(1), one(2)], end.clone()), one(6)])(end)
    yield "group body", chord([one(1), one(2)])(group(end, end.clone()))


def many(queue, chords, members, task):
    for first in range(chords):
        header = [signature(task, args=(value + first, 0.05), queue=queue) for value in range(members)]
        yield chord(header)(signature("chords.body", queue=queue)).id


def main():
    what, broker, backend, *rest = sys.argv[1:]
    app.conf.update(broker_url=broker, result_backend=backend)
    app.set_default()
    if what == "forms":
        for sent in [list(forms(mixture.split(","))) for mixture in rest]:
            print(json.dumps([[name, outcome(result)] for name, result in sent]), flush=True)
    else:
        queue, chords, members, task = rest
        print(json.dumps(list(many(queue, int(chords), int(members), task))), flush=True)


if __name__ == "__main__":
    main()
