import { alternate } from '../alternate.js'
import type { Case, Figure } from '../findings.js'
import { byRate, rateRows } from '../rate.js'
import { bare } from '../rivals/bare.js'
import { celeriac } from '../rivals/celeriac.js'
import { python } from '../rivals/python.js'
import { noops } from '../sources.js'
import { releasing } from '../stand.js'
import { freshQueue } from '../workplace.js'

const PREFORK = 'Celery prefork -c 2'
const PREFORK_OPTIONS = ['-P', 'prefork', '-c', '2', '-l', 'WARNING']
const LOOP = 'bare loop with a pipeline of SETEX and PUBLISH'

export const redisResults: Case = {
  name: 'redis',
  title: 'no-op with a redis result, 100 slots',
  async run(stand) {
    const { url } = stand.redis
    const entrants = [
      byRate(stand, 'Celeriac', celeriac(['-c', '100', '-l', 'WARNING'], { CELERY_RESULT_BACKEND: url }), noops()),
      byRate(stand, PREFORK, python(PREFORK_OPTIONS, { BENCH_BACKEND: url }), noops()),
      byRate(stand, LOOP, bare({ consumers: 1, prefetch: 100, results: true }), noops()),
    ]
    const rounds = await alternate(entrants, stand.scale.rounds)
    const ratio = (rival: string, label: string, atLeast: number): Figure => ({
      what: `Celeriac / ${rival}`,
      label: `no-op, redis result: vs ${label}`,
      unit: 'x',
      target: { atLeast },
      ...rounds.ratio('Celeriac', rival, 'rate'),
    })
    return {
      rows: rateRows(entrants, rounds),
      figures: [ratio(PREFORK, PREFORK, 6), ratio(LOOP, 'bare loop with Redis', 0.7)],
      note: 'The bare loop acknowledges a message when Redis has answered; its window is 100.',
    }
  },
}

export const rpcResults: Case = {
  name: 'rpc',
  title: 'no-op with an rpc result, 16 slots',
  run: (stand) =>
    releasing(async (releasers) => {
      // A client that reads its replies would cost processor time; one queue that keeps the newest few costs both workers the same.
      const replyTo = await freshQueue(stand, releasers, { 'x-max-length': 100 })
      const source = noops({ replyTo })
      const backend = 'rpc://'
      const entrants = [
        byRate(stand, 'Celeriac', celeriac(['-c', '16', '-l', 'WARNING'], { CELERY_RESULT_BACKEND: backend }), source),
        byRate(stand, PREFORK, python(PREFORK_OPTIONS, { BENCH_BACKEND: backend }), source),
      ]
      const rounds = await alternate(entrants, stand.scale.rounds)
      return {
        rows: rateRows(entrants, rounds),
        figures: [
          {
            what: `Celeriac / ${PREFORK}`,
            label: `no-op, rpc result: vs ${PREFORK}`,
            unit: 'x',
            target: { atLeast: 3 },
            ...rounds.ratio('Celeriac', PREFORK, 'rate'),
          },
        ],
      }
    }),
}
