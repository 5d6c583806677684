"""The Python worker that control.spec.ts compares ours with, and the calls that Debian's command line doesn't know.

    celery -A control worker ...                          an app with two of the tasks of spec/apps/peers.ts
    control.py BROKER DESTINATION COMMAND ARGUMENTS       prints the replies to any command, as app.control.inspect gets them
"""
import json
import sys
import time

import celery

app = celery.Celery("peers")


@app.task(name="peers.echo")
def echo(value):
    return value


@app.task(name="peers.sleep", acks_late=True)
def sleep(ms):
    time.sleep(ms / 1000)
    return "slept"


if __name__ == "__main__":
    broker, destination, command, arguments = sys.argv[1:]
    inspect = celery.Celery(broker=broker).control.inspect(destination.split(","), timeout=5)
    print(json.dumps(inspect._request(command, **json.loads(arguments))))
