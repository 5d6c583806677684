"""Writes stamps56.jsonl beside it: what Celery 5.6.3 stamps on canvases, by the visitor of stamps.spec.ts.

    python3 spec/canvas/stamps56.py
"""
import json
import os

import celery
from celery import Celery, chord, group, signature
from celery.canvas import StampingVisitor, _chain

assert celery.__version__ == '5.6.3', celery.__version__
app = Celery('stamps', broker='memory://', backend='cache+memory://')
app.set_default()


class Teller(StampingVisitor):
    def __init__(self, *told):
        self.told = told

    def tell(self, place, **stamps):
        return dict(stamps) if place in self.told else {}

    def on_signature(self, sig, **headers):
        return self.tell('signature', signature=sig.task, same='signature', many=['signature'])

    def on_chain_start(self, sig, **headers):
        return self.tell('chain', in_chain=len(sig.tasks), same='chain')

    def on_group_start(self, sig, **headers):
        return self.tell('group', in_group=len(sig.tasks), same='group')

    def on_chord_body(self, sig, **headers):
        return self.tell('body', body=sig.body.task, same='body')

    def on_callback(self, sig, **headers):
        return self.tell('callback', linked=sig.task)

    def on_errback(self, sig, **headers):
        return self.tell('errback', linked_error=sig.task)


class HeaderTeller(Teller):
    def on_chord_header_start(self, sig, **headers):
        super().on_chord_header_start(sig, **headers)
        return self.tell('header', in_header=len(sig.tasks.tasks))


def task(name, **options):
    return signature(name, app=app, **options)


def linked():
    sig = task('a')
    sig.link(task('callback'))
    sig.link_error(task('errback'))
    return sig


def stamped():
    sig = task('a')
    sig.stamp(same='before', many=['before'], own=1)
    return sig


CANVASES = [
    lambda: task('a'),
    linked,
    stamped,
    lambda: _chain(task('a'), linked(), task('b')),
    lambda: group(task('a'), _chain(task('b'), task('c'))),
    lambda: chord([task('a'), linked()], task('b')),
    lambda: _chain(task('a'), group(task('b'), stamped())),
    lambda: chord([_chain(task('a'), task('b')), stamped()], _chain(task('c'), linked())),
    lambda: _chain(task('a'), chord([task('b')], group(task('c'), task('d')))),
]
EVERYWHERE = ('signature', 'chain', 'group', 'body', 'callback', 'errback')
VISITORS = [('signature',), ('chain', 'group'), ('body', 'callback', 'errback'), EVERYWHERE, EVERYWHERE + ('header',)]


def plain(value):
    return json.loads(json.dumps(value))


with open(os.path.join(os.path.dirname(__file__), 'stamps56.jsonl'), 'w') as out:
    for make in CANVASES:
        for told in VISITORS:
            for append in (False, True):
                sig = make()
                before = plain(sig)
                sig.stamp((HeaderTeller if 'header' in told else Teller)(*told), append)
                case = dict(before=before, told=told, append=append, after=plain(sig))
                out.write(json.dumps(case, separators=(',', ':')) + '\n')
