"""A worker of Python's for the workflows that TypeScript builds."""
import sys
import time

from celery import Celery

app = Celery('workflows', broker=sys.argv[1], backend=sys.argv[2])
app.conf.worker_hijack_root_logger = False


@app.task(name='wf.add')
def add(x, y):
    return x + y


@app.task(name='wf.double')
def double(n):
    return 2 * n


@app.task(name='wf.sum')
def total(numbers):
    return sum(numbers)


@app.task(name='wf.echo')
def echo(*args):
    return list(args)


@app.task(name='wf.fail')
def fail(text):
    raise ValueError(text)


@app.task(name='wf.caught')
def caught(task_id):
    return 'caught ' + task_id


@app.task(name='wf.sleep')
def sleep(seconds):
    time.sleep(seconds)


if __name__ == '__main__':
    app.worker_main(['worker', '-Q', sys.argv[3], '-c', '2', '-l', 'INFO', '-n', f'py{sys.argv[3]}@%h'])
