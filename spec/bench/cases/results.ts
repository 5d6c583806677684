import { alternate } from '../alternate.js'
import type { Case } from '../findings.js'
import { byRate, rateRows } from '../rate.js'
import { celeriac } from '../rivals/celeriac.js'
import { python } from '../rivals/python.js'
import { noops } from '../sources.js'
import { releasing, type Stand } from '../stand.js'
import { freshQueue } from '../workplace.js'

export const redisResults: Case = {
  name: 'redis',
  title: 'no-op with a redis result, 16 slots',
  run: (stand) => compare(stand, stand.redis.url, undefined),
}

export const rpcResults: Case = {
  name: 'rpc',
  title: 'no-op with an rpc result, 16 slots',
  run: (stand) =>
    releasing(async (releasers) => {
      // A client that reads its replies would cost processor time; one queue that keeps the newest few costs both workers the same.
      const replyTo = await freshQueue(stand, releasers, { 'x-max-length': 100 })
      return compare(stand, 'rpc://', replyTo)
    }),
}

async function compare(stand: Stand, backend: string, replyTo: string | undefined): ReturnType<Case['run']> {
  const source = noops({ replyTo })
  const prefork = python(['-P', 'prefork', '-c', '2', '-l', 'WARNING'], { BENCH_BACKEND: backend })
  const entrants = [
    byRate(stand, 'Celeriac', celeriac(['-c', '16', '-l', 'WARNING'], { CELERY_RESULT_BACKEND: backend }), source),
    byRate(stand, 'Celery prefork -c 2', prefork, source),
  ]
  const rounds = await alternate(entrants, stand.scale.rounds)
  return {
    rows: rateRows(entrants, rounds),
    figures: [
      {
        what: 'Celeriac / Celery prefork -c 2',
        label: `no-op, ${replyTo === undefined ? 'redis' : 'rpc'} result: vs Celery prefork -c 2`,
        unit: 'x',
        target: { atLeast: 3 },
        ...rounds.ratio('Celeriac', 'Celery prefork -c 2', 'rate'),
      },
    ],
  }
}
