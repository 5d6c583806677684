import { alternate } from '../alternate.js'
import type { Case } from '../findings.js'
import { byRate, rateRows } from '../rate.js'
import { celeriac } from '../rivals/celeriac.js'
import { noops } from '../sources.js'

export const order: Case = {
  name: 'order',
  title: 'order on: 1,000 keys, no-op, 16 slots',
  async run(stand) {
    const options = ['-c', '16', '-l', 'WARNING']
    const entrants = [
      byRate(stand, 'order on', celeriac(options, { BENCH_ORDER: 'on' }), noops()),
      byRate(stand, 'order off', celeriac(options), noops()),
    ]
    const rounds = await alternate(entrants, stand.scale.rounds)
    return {
      rows: rateRows(entrants, rounds),
      figures: [
        {
          what: 'on / off',
          label: 'order by 1,000 keys: on vs off',
          unit: 'x',
          target: { atLeast: 0.9 },
          ...rounds.ratio('order on', 'order off', 'rate'),
        },
      ],
    }
  },
}
