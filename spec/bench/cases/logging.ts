import { join } from 'node:path'
import { alternate } from '../alternate.js'
import type { Case } from '../findings.js'
import { byRate, rateRows } from '../rate.js'
import { celeriac } from '../rivals/celeriac.js'
import { noops } from '../sources.js'

export const logging: Case = {
  name: 'logging',
  title: 'the same at INFO to a file',
  async run(stand) {
    const file = join(stand.directory, 'info.log')
    const entrants = [
      byRate(stand, 'INFO to a file', celeriac(['-c', '16', '-l', 'INFO', '-f', file]), noops()),
      byRate(stand, 'WARNING', celeriac(['-c', '16', '-l', 'WARNING']), noops()),
    ]
    const rounds = await alternate(entrants, stand.scale.rounds)
    return {
      rows: rateRows(entrants, rounds),
      figures: [
        {
          what: 'INFO / WARNING',
          label: 'no-op: logging at INFO vs WARNING',
          unit: 'x',
          target: { atLeast: 0.5 },
          ...rounds.ratio('INFO to a file', 'WARNING', 'rate'),
        },
      ],
    }
  },
}
