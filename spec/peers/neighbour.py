"""A worker of Python's, for the specs: the neighbour with whom ours mingle and gossip."""
import sys
import time

from celery import Celery

app = Celery("neighbour")


@app.task(name="neighbour.noted")
def noted(text):
    print(f"noted {text}")


def elect(broker, queue, count):
    """Calls for elections, one after another, in which a task is what the winner has to do."""
    app.conf.broker_url = broker
    for number in range(count):
        name = f"e{number:02}"
        action = noted.s(name).set(queue=queue)
        arguments = {"id": name, "topic": "task", "action": dict(action)}
        app.control.broadcast("election", arguments=arguments)
        time.sleep(0.2)


if __name__ == "__main__":
    elect(sys.argv[1], sys.argv[2], int(sys.argv[3]))
