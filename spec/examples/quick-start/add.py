import os

from celery import Celery

app = Celery(broker=os.environ.get('CELERY_BROKER_URL', 'amqp://'), backend=os.environ.get('CELERY_RESULT_BACKEND', 'redis://'))
print(app.send_task('tasks.add', (1, 2)).get(timeout=60))
