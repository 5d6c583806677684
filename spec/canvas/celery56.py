"""Writes celery56.jsonl beside it: what Celery 5.6.3 sends for random canvases, and what it makes of `a | b`.

    PYTHONPATH=.../celery-5.6.3 python3 spec/canvas/celery56.py
"""
import itertools
import json
import os
import random
import warnings

import celery
from celery import Celery, chord, group, signature
from celery.canvas import _chain

warnings.simplefilter('ignore')
assert celery.__version__ == '5.6.3', celery.__version__
app = Celery('canvases', broker='memory://', backend='cache+memory://')
app.set_default()
log = []


def plain(value):
    return json.loads(json.dumps(value))


def send(producer, name, message, **options):
    headers = message.headers
    args, kwargs, embed = message.body
    log.append(['send', plain(dict(
        task=name, id=headers['id'], args=args, kwargs=kwargs, embed=embed, group=headers['group'],
        group_index=headers['group_index'], root=headers['root_id'], parent=headers['parent_id'],
    ))])


app.amqp.__dict__['send_task_message'] = send
app.backend.ensure_chords_allowed = lambda: None
app.backend.apply_chord = lambda header, body, **kwargs: log.append(['chord', plain(app.GroupResult(*header).as_tuple())])
app.backend.set_chord_size = lambda group_id, size: log.append(['size', group_id, size])


def task(name, **options):
    return signature(name, app=app, **options)


def canvas(choose, depth):
    kind = choose.random()
    if depth == 0 or kind < .3:
        args = (choose.randint(0, 9),) if choose.random() < .5 else ()
        sig = task(choose.choice('abcdefg'), args=args, immutable=choose.random() < .15)
        if choose.random() < .1:
            sig.link(task('callback'))
        if choose.random() < .1:
            sig.link_error(task('errback'))
        if choose.random() < .1:
            sig.set(priority=3)
        return sig

    def some(least, most):
        return [canvas(choose, depth - 1) for _ in range(choose.randint(least, most))]

    if kind < .6:
        return _chain(*some(1, 3))
    if kind < .8:
        return group(*some(1, 3))
    return chord(some(1, 2), canvas(choose, depth - 1))


def sent(seed):
    choose = random.Random(seed)
    sig = plain(canvas(choose, 2))
    args = [100] if choose.random() < .4 else []
    options = dict(root_id='root', parent_id='parent') if choose.random() < .3 else {}
    if choose.random() < .3:
        options['chain'] = [task('rest')]
    log.clear()
    signature(plain(sig), app=app).apply_async(tuple(args), **options)
    return dict(sig=sig, args=args, options=plain(options), log=list(log))


def piped(seed):
    choose = random.Random(seed)
    first, second = canvas(choose, 2), canvas(choose, 2)
    if not isinstance(first, group):
        first.link(task('last'))
        first.link_error(task('any'))
    pair = plain(first), plain(second)
    try:
        return dict(pair=pair, both=plain(signature(plain(pair[0]), app=app) | signature(plain(pair[1]), app=app)))
    except AttributeError:
        return None  # a fault of its own: callbacks of dicts within a group


def small(make, count, most):
    cases = filter(None, map(make, itertools.count()))
    return list(itertools.islice((case for case in cases if len(json.dumps(case)) < most), count))


with open(os.path.join(os.path.dirname(__file__), 'celery56.jsonl'), 'w') as out:
    for case in small(sent, 80, 2500) + small(piped, 40, 1500):
        out.write(json.dumps(case, separators=(',', ':')) + '\n')
