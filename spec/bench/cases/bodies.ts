import { alternate } from '../alternate.js'
import type { Case, Figure } from '../findings.js'
import { byRate, rateRows } from '../rate.js'
import { bare } from '../rivals/bare.js'
import { celeriac } from '../rivals/celeriac.js'
import { bodies as sized } from '../sources.js'
import type { Stand } from '../stand.js'

const KILOBYTES = [2, 64]

export const bodies: Case = {
  name: 'bodies',
  title: 'bodies of 2 KB and 64 KB, 16 slots',
  async run(stand) {
    const entrants = KILOBYTES.flatMap((kilobytes) => {
      const source = sized(kilobytes * 1000)
      const options = counts(stand, kilobytes)
      return [
        byRate(stand, ours(kilobytes), celeriac(['-c', '16', '-l', 'WARNING']), source, options),
        byRate(stand, loop(kilobytes), bare({ consumers: 16, prefetch: 1 }), source, options),
      ]
    })
    const rounds = await alternate(entrants, stand.scale.manyRounds)
    return {
      rows: rateRows(entrants, rounds),
      figures: KILOBYTES.map(
        (kilobytes): Figure => ({
          what: `${ours(kilobytes)} / bare loop`,
          label: `no-op, bodies of ${kilobytes} KB: vs bare loop`,
          unit: 'x',
          target: { atLeast: 0.9 },
          ...rounds.ratio(ours(kilobytes), loop(kilobytes), 'rate'),
        }),
      ),
      note: 'Both parse the body: a list of records.',
    }
  },
}

const ours = (kilobytes: number): string => `Celeriac, ${kilobytes} KB`
const loop = (kilobytes: number): string => `bare loop, 16 consumers, ${kilobytes} KB`

/** The broker holds a backlog in memory or on its disk: of large bodies there are fewer. */
function counts({ scale }: Stand, kilobytes: number): { backlog: number; warmUp: number } {
  if (kilobytes < 10) return { backlog: scale.backlog, warmUp: scale.warmUp }
  return scale.quick ? { backlog: 500, warmUp: 100 } : { backlog: 5000, warmUp: 500 }
}
