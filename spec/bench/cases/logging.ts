import { join } from 'node:path'
import type { Case } from '../findings.js'
import { byRate, rateBeside } from '../rate.js'
import { celeriac } from '../rivals/celeriac.js'
import { noops } from '../sources.js'

export const logging: Case = {
  name: 'logging',
  title: 'the same at INFO to a file',
  run(stand) {
    const file = join(stand.directory, 'info.log')
    const info = byRate(stand, 'INFO to a file', celeriac(['-c', '16', '-l', 'INFO', '-f', file]), noops())
    const warning = byRate(stand, 'WARNING', celeriac(['-c', '16', '-l', 'WARNING']), noops())
    return rateBeside(info, warning, stand.scale.rounds, {
      what: 'INFO / WARNING',
      label: 'no-op: logging at INFO vs WARNING',
      target: { atLeast: 0.5 },
    })
  },
}
