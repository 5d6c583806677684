"""Python's side of spec/peers/ownCommands.spec.ts: the command line has to know a command to send it.

    celery -A ownCommands inspect stock ...
    ownCommands.py BROKER COMMAND ARGUMENTS       prints the replies, as app.control.broadcast gets them
"""
import json
import sys

import celery
from celery.worker.control import control_command, inspect_command

app = celery.Celery("own")


@inspect_command(args=[("sku", str), ("least", int)], signature="<sku> [least]")
def stock(state, sku, least=None):
    return [sku, least]


@control_command(args=[("factor", float)], signature="<factor>")
def surcharge(state, factor):
    return {"ok": factor}


if __name__ == "__main__":
    broker, command, arguments = sys.argv[1:]
    control = celery.Celery(broker=broker).control
    print(json.dumps(control.broadcast(command, arguments=json.loads(arguments), reply=True, limit=1, timeout=30)))
