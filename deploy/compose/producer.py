"""Sends tasks for as long as it runs: builds that start and end, in bursts, and asks for the result of one a burst."""
import random
import signal
import sys
import time

from celery import Celery

app = Celery('producer')  # CELERY_BROKER_URL and CELERY_RESULT_BACKEND say where
app.conf.task_default_queue = 'short-running'


def burst(builds):
    ends = []
    for build in builds:
        app.send_task('builds.start', kwargs={'build': build})
        ends.append(app.send_task('builds.end', kwargs={'build': build}))
    return ends


def main(bursts=None, pause=10.0):
    sent = 0
    while bursts is None or bursts > 0:
        size = random.choice([5, 20, 200])
        ends = burst(range(sent, sent + size))
        sent += size
        print(f'{sent} builds sent; the last one says {ends[-1].get(timeout=120)}')
        if bursts is not None:
            bursts -= 1
        time.sleep(pause)


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    main()
