import { alternate, type Rounds } from '../alternate.js'
import type { Case, Figure } from '../findings.js'
import { byRate, type RateQuantity, rateRows } from '../rate.js'
import { bare } from '../rivals/bare.js'
import { celeriac } from '../rivals/celeriac.js'
import { python } from '../rivals/python.js'
import { noops, waits } from '../sources.js'
import { summarize } from '../statistics.js'

/** What 100 slots of 10 ms, or 1,000 of 100 ms, can do at most, in tasks a second. */
const CEILING = 10_000

export const hundredSlots: Case = {
  name: 'wait-100',
  title: '10 ms of waiting, 100 slots',
  async run(stand) {
    const slow = stand.scale.quick ? { backlog: 1000, warmUp: 200 } : { backlog: 6000, warmUp: 1000 }
    const gevent = python(['-P', 'gevent', '-c', '100', '-l', 'WARNING'])
    const entrants = [
      byRate(stand, 'Celeriac', celeriac(['-c', '100', '-l', 'WARNING']), waits(10)),
      byRate(stand, 'Celery gevent -c 100', gevent, waits(10), slow),
      byRate(stand, 'bare loop, 100 consumers', bare({ consumers: 100, prefetch: 1 }), noops()),
    ]
    const rounds = await alternate(entrants, stand.scale.rounds)
    return {
      rows: rateRows(entrants, rounds),
      figures: [
        ofPossible(rounds, 'bare loop, 100 consumers', '100 slots, 10 ms each', 0.9),
        {
          what: 'Celeriac / Celery gevent -c 100',
          label: '100 slots, 10 ms each: vs Celery gevent -c 100',
          unit: 'x',
          target: { atLeast: 8 },
          ...rounds.ratio('Celeriac', 'Celery gevent -c 100', 'rate'),
        },
      ],
    }
  },
}

export const thousandSlots: Case = {
  name: 'wait-1000',
  title: '1,000 slots, 100 ms of waiting',
  async run(stand) {
    const options = stand.scale.quick ? { backlog: 8000, warmUp: 2000 } : { backlog: 30_000, warmUp: 5000 }
    const entrants = [
      byRate(stand, 'Celeriac', celeriac(['-c', '1000', '-l', 'WARNING']), waits(100), options),
      byRate(stand, 'bare loop, window 1,000', bare({ consumers: 1, prefetch: 1000 }), noops(), options),
    ]
    const rounds = await alternate(entrants, stand.scale.rounds)
    return {
      rows: rateRows(entrants, rounds),
      figures: [ofPossible(rounds, 'bare loop, window 1,000', '1,000 slots, 100 ms each', 0.8)],
    }
  },
}

function ofPossible(rounds: Rounds<RateQuantity>, bareLoop: string, slots: string, atLeast: number): Figure {
  const possible = rounds.of(bareLoop, 'rate').rounds.map((rate) => Math.min(CEILING, rate))
  const ours = rounds.of('Celeriac', 'rate').rounds
  return {
    what: 'Celeriac / the smaller of 10,000/s and the bare loop',
    label: `${slots}: vs bare loop or 10,000/s`,
    unit: 'x',
    target: { atLeast },
    ...summarize(ours.map((rate, round) => rate / (possible[round] ?? CEILING))),
  }
}
