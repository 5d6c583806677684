"""A Python worker's app, for the specs of our command line."""
import os
import time

from celery import Celery

app = Celery("peers-cli", broker=os.environ["CELERY_BROKER_URL"], backend=os.environ["CELERY_RESULT_BACKEND"])
app.conf.worker_concurrency = 2


@app.task(name="peers.echo")
def echo(value=None, **kwargs):
    return kwargs or value


@app.task(name="peers.type")
def kind(value):
    return type(value).__name__


@app.task(name="peers.fail")
def fail():
    raise ValueError("boom")


@app.task(name="peers.sleep", rate_limit="1000/m")
def sleep(seconds):
    time.sleep(seconds)
