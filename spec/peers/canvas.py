"""Celery's side of the canvas specs: the tasks of apps/canvas.ts, and a client that sends canvases and says what became of them.

    CANVAS_QUEUE=QUEUE celery -A canvas worker -Q QUEUE       with the tasks of Celery's own that it sends going to that queue
    canvas.py BROKER BACKEND SECONDS <<< '[{"task": "celery.chain", ...}, ...]'              a line of JSON for each
    canvas.py BROKER BACKEND SECONDS states <<< '{"canvases": [...], "ids": [...]}'          what became of each task
    canvas.py BROKER BACKEND SECONDS built <<< '{"canvases": [...], "errbacks": [...]}'      see `of_built`
"""
import json
import os
import signal
import sys
import time
from itertools import zip_longest

from celery import Celery, chain, chord, group, signature
from celery.result import ResultSet
from kombu.serialization import register
from kombu.utils.json import dumps

# Sent where a signature says so, and taken by nobody.
register("tagged", lambda value: "tagged:" + dumps(value), lambda text: text, content_type="application/x-tagged", content_encoding="utf-8")

app = Celery("canvas")
if "CANVAS_QUEUE" in os.environ:
    app.conf.task_routes = {"celery.*": {"queue": os.environ["CANVAS_QUEUE"]}}


@app.task(name="canvas.join")
def join(*args):
    return list(args)


@app.task(name="canvas.fail")
def fail(*args):
    raise ValueError("boom")


@app.task(name="canvas.caught")
def caught(id=None):
    return "caught"


@app.task(name="canvas.told")
def told(request, error, traceback):
    print(f"TOLD {request.id} {type(error).__name__} {error}")


@app.task(name="canvas.sleep")
def sleep(*args):
    time.sleep(600)


@app.task(name="canvas.die")
def die(*args):
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(name="canvas.replace", bind=True)
def replace(self, node):
    raise self.replace(built(node))


def built(node):
    """The canvas as an application would write it, of its description: a signature as it travels, maybe with `errbacks`."""
    parts = node["kwargs"]
    if node["task"] == "celery.chain":
        made = chain(*map(built, parts["tasks"]))
    elif node["task"] == "celery.group":
        made = group(list(map(built, parts["tasks"])))
    elif node["task"] == "celery.chord":
        made = chord(list(map(built, parts["header"])), built(parts["body"]))
    else:
        made = signature({key: value for key, value in node.items() if key != "errbacks"}, app=app)
    for errback in node.get("errbacks", ()):
        made.link_error(signature(errback, app=app))
    return made


@app.task(name="canvas.more", bind=True)
def more(self, sig):
    self.add_to_chord(signature(sig, app=self.app))
    return "own"


@app.task(name="canvas.stamps", bind=True)
def stamps(self):
    return self.request.stamps


def outcome(result, until):
    try:
        return {"value": result.get(timeout=max(0.1, until - time.time()))}
    except Exception as exc:  # what the caller of get() would see
        return {"error": type(exc).__name__, "text": str(exc)}


def own(result):
    """Of a task alone: get() tells of what came before it. Nothing of one that has not ended."""
    if not result.ready():
        return None
    value = result.result
    return {"error": type(value).__name__, "text": str(value)} if isinstance(value, Exception) else {"value": value}


def leaves(result):
    if not isinstance(result, ResultSet):
        return [result]
    return [leaf for member in result.results for leaf in leaves(member)]


def wait(waiting, seconds, quiet):
    """Until all that is sure to end has ended, and of the rest none has for `quiet` seconds."""
    until = time.time() + seconds
    last = time.time()
    while waiting and time.time() < until:
        left = [(result, sure) for result, sure in waiting if not result.ready()]
        if len(left) < len(waiting):
            last = time.time()
        waiting = left
        if not any(sure for _, sure in waiting) and time.time() - last > quiet:
            return
        time.sleep(0.1)


def got(result, leaves):
    ends = [own(leaf) for leaf in leaves]
    # get() waits for a group within a group for ever, whatever its timeout.
    return {"got": {"error": "TimeoutError"} if None in ends else outcome(result, time.time() + 5), "ends": ends}


def of_built(asked, seconds):
    """Of each canvas what get() gives, and what each task of its result has come to; and which of the error callbacks were called."""
    sent = [built(node).apply_async() for node in asked["canvases"]]
    ends = [leaves(result) for result in sent]
    called = {id: app.AsyncResult(id) for id in asked["errbacks"]}
    sure = asked["sure"]  # what is known to end: for each canvas a list, and ids of error callbacks
    waiting = [(leaf, is_sure) for each, known in zip(ends, sure["ends"]) for leaf, is_sure in zip_longest(each, known)]
    waiting += [(result, id in sure["errbacks"]) for id, result in called.items()]
    wait(waiting, seconds, asked["quiet"])
    return {
        "canvases": [got(result, each) for result, each in zip(sent, ends)],
        "errbacks": [id for id, result in called.items() if result.ready()],
    }


def states(asked, seconds):
    for node in asked["canvases"]:
        built(node).apply_async()
    results = [app.AsyncResult(id) for id in asked["ids"]]
    wait([(result, result.id in asked["sure"]) for result in results], seconds, asked["quiet"])
    return [own(result) for result in results]


def main():
    broker, backend, seconds, *how = sys.argv[1:]
    app.conf.update(broker_url=broker, result_backend=backend)
    app.set_default()
    asked = json.load(sys.stdin)
    if how:
        print(json.dumps({"built": of_built, "states": states}[how[0]](asked, float(seconds))), flush=True)
        return
    sent = [signature(sig, app=app).apply_async() for sig in asked]
    until = time.time() + float(seconds)
    for result in sent:
        print(json.dumps(outcome(result, until)), flush=True)


if __name__ == "__main__":
    main()
