import os

from celery import Celery

app = Celery(
    'tasks',
    broker=os.environ.get('CELERY_BROKER_URL', 'amqp://'),
    backend=os.environ.get('CELERY_RESULT_BACKEND', 'redis://'),
)


@app.task(name='texts.count')
def count(text):
    return len(text.split())


@app.task(name='texts.sum')
def total(counts):
    return sum(counts)


@app.task(name='texts.report')
def report(words, title):
    return f'{title}: {words} words'
