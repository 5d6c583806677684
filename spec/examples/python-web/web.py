"""The views of a web service, as plain WSGI: in Django and Flask, the lines between the routes are the same."""
import json
import os
from wsgiref.simple_server import make_server

from celery import Celery

celery = Celery(
    broker=os.environ.get('CELERY_BROKER_URL', 'amqp://'),
    backend=os.environ.get('CELERY_RESULT_BACKEND', 'redis://'),
)
# The task lives in TypeScript: its name is all that is known here.
build_report = celery.signature('reports.build')


def create(customer):
    result = build_report.clone(kwargs={'customer': customer}).apply_async(expires=300)
    return '202 Accepted', {'id': result.id}


def show(task_id):
    result = celery.AsyncResult(task_id)
    if result.failed():
        return '500 Internal Server Error', {'error': str(result.result)}
    return '200 OK', {'state': result.state, 'report': result.result}


def application(environ, start_response):
    view = create if environ['REQUEST_METHOD'] == 'POST' else show
    status, body = view(environ['PATH_INFO'].rsplit('/', 1)[-1])
    start_response(status, [('Content-Type', 'application/json')])
    return [json.dumps(body).encode()]


if __name__ == '__main__':
    with make_server('127.0.0.1', int(os.environ.get('PORT', 8000)), application) as server:
        print(f'http://127.0.0.1:{server.server_port}', flush=True)
        server.serve_forever()
