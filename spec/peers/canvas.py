"""Celery's side of the canvas specs: the tasks of apps/canvas.ts, and a client that sends canvases and says what became of them.

    CANVAS_QUEUE=QUEUE celery -A canvas worker -Q QUEUE       with the tasks of Celery's own that it sends going to that queue
    canvas.py BROKER BACKEND SECONDS <<< '[{"task": "celery.chain", ...}, ...]'              a line of JSON for each
    canvas.py BROKER BACKEND SECONDS runs <<< '{"runs": [{"canvases": [...], "ids": [...]}, ...], "queues": [...]}'    see `of_runs`
"""
import json
import os
import signal
import socket
import sys
import time

from celery import Celery, chain, chord, group, signature, states
from celery.result import ResultSet
from kombu.serialization import register
from kombu.utils.json import dumps

# Sent where a signature says so, and taken by nobody.
register("tagged", lambda value: "tagged:" + dumps(value), lambda text: text, content_type="application/x-tagged", content_encoding="utf-8")

app = Celery("canvas")
# 3 seconds are not enough on a busy machine.
app.conf.result_chord_join_timeout = 120
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


class Sent:
    """A canvas that was sent, and what is known of it."""

    def __init__(self, node, ids):
        self.result = built(node).apply_async()
        self.leaves = leaves(self.result)
        self.watched = [app.AsyncResult(id) for id in ids]

    @property
    def tasks(self):
        return self.leaves + self.watched

    def ends(self):
        ends = [own(leaf) for leaf in self.leaves]
        # get() waits for a group within a group for ever, whatever its timeout.
        got = {"error": "TimeoutError"} if None in ends else outcome(self.result, time.time() + 5)
        return {"got": got, "ends": ends, "watched": [own(result) for result in self.watched]}


def unready(results):
    """Of thousands, too many to ask for each by itself."""
    if not results:
        return []
    backend = app.backend
    metas = backend.client.mget([backend.get_key_for_task(result.id) for result in results])
    return [result for result, meta in zip(results, metas) if not meta or not is_end(backend.decode_result(meta))]


def is_end(meta):
    return meta["status"] in states.READY_STATES


def wait(waiting, is_over, seconds):
    """Until all have ended, or none can any more."""
    until = time.time() + seconds
    while waiting and time.time() < until:
        time.sleep(0.3)
        left = unready(waiting)
        if len(left) == len(waiting) and is_over():
            return
        waiting = left


class Fleet:
    """The workers that canvases were sent to."""

    def __init__(self, queues):
        # As `canvasWorkers` names them.
        self.nodes = {f"{queue}@{socket.gethostname()}" for queue in queues}
        self.queues = queues

    def is_idle(self):
        """Nothing waits and nothing runs, three times in a row, and no task has begun between them: what is on its way is in neither."""
        seen = []
        for _ in range(3):
            if not self.has_nothing():
                return False
            seen.append(self.begun())
            time.sleep(0.3)
        return seen[0] is not None and seen.count(seen[0]) == len(seen)

    def inspect(self):
        return app.control.inspect(list(self.nodes), timeout=30)

    def begun(self):
        """How many tasks have begun, by name of worker and task; None if a worker doesn't say."""
        answers = self.inspect().stats() or {}
        return {node: stats["total"] for node, stats in answers.items()} if set(answers) == self.nodes else None

    def has_nothing(self):
        with app.connection_for_write() as connection:
            channel = connection.default_channel
            if any(channel.queue_declare(queue, passive=True).message_count for queue in self.queues):
                return False
        inspect = self.inspect()
        for ask in inspect.active, inspect.reserved:
            answers = ask() or {}
            if set(answers) != self.nodes or any(answers.values()):
                return False
        return True


def of_runs(asked, seconds):
    """
    The same canvases several times, at once. Of each what get() gives, what each task of its result has come to, and those of the ids that
    are named beside it; null for what never ends.
    """
    fleet = Fleet(asked["queues"])
    runs = [[Sent(node, ids) for node, ids in zip(run["canvases"], run["ids"])] for run in asked["runs"]]
    wait([result for run in runs for sent in run for result in sent.tasks], fleet.is_idle, seconds)
    return [[sent.ends() for sent in run] for run in runs]


def main():
    broker, backend, seconds, *how = sys.argv[1:]
    app.conf.update(broker_url=broker, result_backend=backend)
    app.set_default()
    asked = json.load(sys.stdin)
    if how == ["runs"]:
        print(json.dumps(of_runs(asked, float(seconds))), flush=True)
        return
    sent = [signature(sig, app=app).apply_async() for sig in asked]
    until = time.time() + float(seconds)
    for result in sent:
        print(json.dumps(outcome(result, until)), flush=True)


if __name__ == "__main__":
    main()
