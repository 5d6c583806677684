import { alternate, type Entrant } from '../alternate.js'
import { fillHalted, warmUp } from '../drain.js'
import type { Case } from '../findings.js'
import { type BenchMessage, taskMessage } from '../message.js'
import { microseconds } from '../microseconds.js'
import { celeriac } from '../rivals/celeriac.js'
import { series } from '../sources.js'
import { readStamps } from '../stamps.js'
import { type Stand, until } from '../stand.js'
import { quantile } from '../statistics.js'
import { atWork } from '../workplace.js'

/*
 * A backlog is released at once. Every fifth of its messages has the same key, and those run one after the other; the other keys
 * are all different. The same backlog without the hot messages tells what the others would wait for anyway.
 */

const SHARE = 5
const TASK_MS = 10
const HOT = 'hot'

export const hotKey: Case = {
  name: 'hot-key',
  title: 'hot key: 20 % of the messages on one key, 10 ms each, 16 slots',
  async run(stand) {
    const backlog = stand.scale.quick ? 1000 : 4000
    const all = (count: number): BenchMessage[] => [
      ...series(count, (index) => stamp(index % SHARE === 0 ? HOT : `other-${index}`)),
    ]
    const others = (count: number): BenchMessage[] => all(count).filter((_, index) => index % SHARE !== 0)
    const entrants = [byWait(stand, 'with the hot key', all(backlog)), byWait(stand, 'without it', others(backlog))]
    const rounds = await alternate(entrants, stand.scale.rounds)
    return {
      rows: entrants.map(({ name }) => ({ entrant: name, unit: 'ms', ...rounds.of(name, 'p95') })),
      figures: [
        {
          what: "the others' p95 wait, with / without",
          label: "hot key: the others' p95 wait",
          unit: 'x',
          target: { atMost: 1.2 },
          ...rounds.ratio('with the hot key', 'without it', 'p95'),
        },
      ],
    }
  },
}

function stamp(key: string): BenchMessage {
  return taskMessage('bench.stamp', [0, TASK_MS], { key })
}

/** The 95th percentile of how long the messages without the hot key wait for their start, in milliseconds. */
function byWait(stand: Stand, name: string, messages: readonly BenchMessage[]): Entrant<'p95'> {
  const cold = messages.filter(({ content }) => !content.includes(`"${HOT}"`)).length
  return {
    name,
    measure: () =>
      atWork(stand, celeriac(['-c', '16', '-l', 'WARNING'], { BENCH_ORDER: 'on' }), async (place) => {
        await warmUp(
          stand,
          place,
          series(200, (index) => taskMessage('bench.wait', [1], { key: `warm-${index}` })),
        )
        await fillHalted(stand, place, messages)
        const released = microseconds()
        const waits = (): number[] =>
          readStamps(place.trace)
            .filter(({ key }) => key !== HOT)
            .map(({ began }) => (began - released) / 1000)
        await until(() => waits().length === cold, { signal: stand.signal, what: 'all tasks to run', everyMs: 100 })
        return { p95: quantile(waits(), 0.95) }
      }),
  }
}
