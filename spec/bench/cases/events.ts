import type { Case } from '../findings.js'
import { byRate, rateBeside } from '../rate.js'
import { celeriac } from '../rivals/celeriac.js'
import { noops } from '../sources.js'

export const events: Case = {
  name: 'events',
  title: 'task events on (-E), no-op, 16 slots',
  async run(stand) {
    const options = ['-c', '16', '-l', 'WARNING']
    const on = byRate(stand, 'events on', celeriac([...options, '-E']), noops())
    const off = byRate(stand, 'events off', celeriac(options), noops())
    const findings = await rateBeside(on, off, stand.scale.manyRounds, {
      what: 'on / off',
      label: 'no-op: task events on vs off',
      target: { atLeast: 0.7 },
    })
    return { ...findings, note: 'Nobody listens to the events: the exchange drops them.' }
  },
}
