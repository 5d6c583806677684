import { alternate } from '../alternate.js'
import type { Case, Figure } from '../findings.js'
import { byRate, rateRows } from '../rate.js'
import { bare } from '../rivals/bare.js'
import { celeriac } from '../rivals/celeriac.js'
import { noops } from '../sources.js'
import type { Stand } from '../stand.js'

const NARROW = 100
const WIDE = 1000

export const wide: Case = {
  name: 'wide',
  title: 'no-op, no result, 100 and 1,000 slots',
  async run(stand) {
    const slots = [NARROW, WIDE]
    const entrants = slots.flatMap((slots) => {
      const options = counts(stand, slots)
      return [
        byRate(stand, ours(slots), celeriac(['-c', String(slots), '-l', 'WARNING']), noops(), options),
        byRate(stand, loop(slots), bare({ consumers: 1, prefetch: slots }), noops(), options),
      ]
    })
    const rounds = await alternate(entrants, stand.scale.manyRounds)
    return {
      rows: rateRows(entrants, rounds),
      figures: slots.flatMap((slots): Figure[] => [
        {
          what: `${ours(slots)} / ${loop(slots)}`,
          label: `no-op, ${number(slots)} slots: vs bare loop`,
          unit: 'x',
          target: { atLeast: 0.9 },
          ...rounds.ratio(ours(slots), loop(slots), 'rate'),
        },
        {
          what: 'processor time a task, the same',
          label: `processor time a task, ${number(slots)} slots: vs bare loop`,
          unit: 'x',
          target: { atMost: 1.25 },
          ...rounds.ratio(ours(slots), loop(slots), 'cpuUs'),
        },
      ]),
      note: 'The bare loop has one consumer whose window is as large as there are slots.',
    }
  },
}

const number = (slots: number): string => slots.toLocaleString('en')
const ours = (slots: number): string => `Celeriac, ${number(slots)} slots`
const loop = (slots: number): string => `bare loop, window ${number(slots)}`

/**
 * What is measured begins when 93 % are left: the window has to be much smaller than what is gone by then. A worker runs for days: V8
 * compiles the code of either again and again during the first 30,000 tasks or so, and the more the longer the code is.
 */
function counts({ scale }: Stand, slots: number): { backlog: number; warmUp: number } {
  if (!scale.quick) return { backlog: 40_000, warmUp: 30_000 }
  return slots < WIDE ? { backlog: scale.backlog, warmUp: scale.warmUp } : { backlog: 8000, warmUp: 1000 }
}
