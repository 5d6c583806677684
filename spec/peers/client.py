"""Python's own client, for the specs: runs the steps that it is given and says, a line of JSON each, what it saw.

    client.py BROKER BACKEND QUEUE <<< '[{"do": "get", "task": "peers.add", "args": [1, 2]}, ...]'
"""
import json
import sys
import time
from datetime import datetime, timezone

from celery import Celery


def seen(step, app, queue):
    options = dict(step.get("options", {}))
    due = None
    if "countdown" in options:
        due = time.time() + options.pop("countdown")
        options["eta"] = datetime.fromtimestamp(due, timezone.utc)
    result = app.send_task(step["task"], step.get("args", []), step.get("kwargs", {}), queue=step.get("queue", queue), **options)
    if step["do"] == "revoke":
        # Other workers would mark the task as revoked, perhaps before the one that runs it has stored that it was terminated.
        nodes = [node_that_runs(result.id, app)] if step.get("running") else None
        app.control.revoke(result.id, destination=nodes, terminate=step.get("terminate", False))
    states = []
    sent = time.time()
    try:
        value = result.get(timeout=step.get("timeout", 120), on_message=lambda meta: states.append(meta["status"]))
        answer = {"value": value}
    except Exception as exc:  # what the caller of get() would see
        kind = type(exc)
        answer = {"type": kind.__name__, "module": kind.__module__, "args": [repr(arg) for arg in exc.args]}
    answer["states"] = states
    answer["seconds"] = round(time.time() - sent, 3)
    if due is not None and "value" in answer:
        answer["late"] = answer["value"] - due
    return answer


def node_that_runs(id, app):
    until = time.time() + 120
    while time.time() < until:
        active = app.control.inspect().active() or {}
        for node, tasks in active.items():
            if any(task["id"] == id for task in tasks):
                return node
    raise TimeoutError("no worker runs " + id)


def main():
    broker, backend, queue = sys.argv[1:]
    app = Celery("peers-client", broker=broker, backend=backend)
    for step in json.load(sys.stdin):
        print(json.dumps(seen(step, app, queue)), flush=True)


main()
