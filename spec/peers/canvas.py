"""Celery's side of the canvas specs: the tasks of apps/canvas.ts, and a client that sends canvases and says, a line of JSON each, what became
of them.

    celery -A canvas worker -Q QUEUE
    canvas.py BROKER BACKEND SECONDS <<< '[{"task": "celery.chain", ...}, ...]'
"""
import json
import sys
import time

from celery import Celery, signature

app = Celery("canvas")


@app.task(name="canvas.join")
def join(*args):
    return list(args)


@app.task(name="canvas.fail")
def fail(*args):
    raise ValueError("boom")


def outcome(result, until):
    try:
        return {"value": result.get(timeout=max(0.1, until - time.time()))}
    except Exception as exc:  # what the caller of get() would see
        return {"error": type(exc).__name__, "text": str(exc)}


def main():
    broker, backend, seconds = sys.argv[1:]
    app.conf.update(broker_url=broker, result_backend=backend)
    app.set_default()
    sent = [signature(sig, app=app).apply_async() for sig in json.load(sys.stdin)]
    until = time.time() + float(seconds)
    for result in sent:
        print(json.dumps(outcome(result, until)), flush=True)


if __name__ == "__main__":
    main()
