import { alternate } from '../alternate.js'
import type { Case } from '../findings.js'
import { byRate, rateRows } from '../rate.js'
import { bare } from '../rivals/bare.js'
import { celeriac } from '../rivals/celeriac.js'
import { celeryNodePace } from '../rivals/celeryNode.js'
import { python } from '../rivals/python.js'
import { noops } from '../sources.js'

const SLOW = { backlog: 6000, warmUp: 500 }
/*
 * Celery's threads hand their acknowledgements to the main thread, which sends them when the next message comes in, or after 2 s. When
 * it has given out its whole window before the first of them, everything stands still for those 2 s: so the time to look at has to hold
 * several of these pauses.
 */
const HALTING = { backlog: 30_000, warmUp: 500, limitMs: 12_000 }

export const noop: Case = {
  name: 'noop',
  title: 'no-op, no result, 16 slots, log level WARNING',
  async run(stand) {
    const source = noops()
    const slow = stand.scale.quick ? { backlog: 1000, warmUp: 100 } : SLOW
    const halting = stand.scale.quick ? slow : HALTING
    const entrants = [
      byRate(stand, 'Celeriac', celeriac(['-c', '16', '-l', 'WARNING']), source),
      byRate(stand, 'Celery prefork -c 2', python(['-P', 'prefork', '-c', '2', '-l', 'WARNING']), source),
      byRate(stand, 'Celery gevent -c 100', python(['-P', 'gevent', '-c', '100', '-l', 'WARNING']), source, slow),
      byRate(stand, 'Celery threads -c 16', python(['-P', 'threads', '-c', '16', '-l', 'WARNING']), source, halting),
      { name: 'celery-node', measure: () => celeryNodePace(stand, source) },
      byRate(stand, 'bare loop, 16 consumers', bare({ consumers: 16, prefetch: 1 }), source),
    ]
    const rounds = await alternate(entrants, stand.scale.manyRounds)
    const ratio = (rival: string, atLeast: number) => ({
      what: `Celeriac / ${rival}`,
      label: `no-op: vs ${rival}`,
      unit: 'x',
      target: { atLeast },
      ...rounds.ratio('Celeriac', rival, 'rate'),
    })
    return {
      rows: rateRows(entrants, rounds),
      figures: [
        ratio('Celery prefork -c 2', 5),
        ratio('Celery gevent -c 100', 20),
        ratio('Celery threads -c 16', 10),
        ratio('bare loop, 16 consumers', 0.95),
      ],
      note: 'celery-node acknowledges before it runs a task and has no window; it counts its own calls. Celery with threads stands still for 2 s now and then.',
    }
  },
}
