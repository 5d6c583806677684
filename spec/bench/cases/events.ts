import { alternate } from '../alternate.js'
import type { Case } from '../findings.js'
import { byRate, rateRows } from '../rate.js'
import { celeriac } from '../rivals/celeriac.js'
import { noops } from '../sources.js'

export const events: Case = {
  name: 'events',
  title: 'task events on (-E), no-op, 16 slots',
  async run(stand) {
    const options = ['-c', '16', '-l', 'WARNING']
    const entrants = [
      byRate(stand, 'events on', celeriac([...options, '-E']), noops()),
      byRate(stand, 'events off', celeriac(options), noops()),
    ]
    const rounds = await alternate(entrants, stand.scale.manyRounds)
    return {
      rows: rateRows(entrants, rounds),
      figures: [
        {
          what: 'on / off',
          label: 'no-op: task events on vs off',
          unit: 'x',
          target: { atLeast: 0.7 },
          ...rounds.ratio('events on', 'events off', 'rate'),
        },
      ],
      note: 'Nobody listens to the events: the exchange drops them.',
    }
  },
}
