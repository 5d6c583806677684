import { alternate } from '../alternate.js'
import type { Case, Figure } from '../findings.js'
import { byRate, rateRows } from '../rate.js'
import { celeriac } from '../rivals/celeriac.js'
import { noops } from '../sources.js'

/** The least part of the rate without order, for so many slots. */
const TARGETS = [
  { slots: 16, atLeast: 0.9 },
  { slots: 100, atLeast: 0.95 },
]

export const order: Case = {
  name: 'order',
  title: 'order on: 1,000 keys, no-op, 16 and 100 slots',
  async run(stand) {
    const entrants = TARGETS.flatMap(({ slots }) => {
      const options = ['-c', String(slots), '-l', 'WARNING']
      return [
        byRate(stand, on(slots), celeriac(options, { BENCH_ORDER: 'on' }), noops()),
        byRate(stand, off(slots), celeriac(options), noops()),
      ]
    })
    const rounds = await alternate(entrants, stand.scale.rounds)
    return {
      rows: rateRows(entrants, rounds),
      figures: TARGETS.map(
        ({ atLeast, slots }): Figure => ({
          what: `${on(slots)} / off`,
          label: `order by 1,000 keys, ${slots} slots: on vs off`,
          unit: 'x',
          target: { atLeast },
          ...rounds.ratio(on(slots), off(slots), 'rate'),
        }),
      ),
    }
  },
}

const on = (slots: number): string => `order on, ${slots} slots`
const off = (slots: number): string => `order off, ${slots} slots`
