import { setTimeout } from 'node:timers/promises'
import { alternate, type Entrant } from '../alternate.js'
import type { Launch } from '../contender.js'
import { warmUp } from '../drain.js'
import type { Case } from '../findings.js'
import { taskMessage } from '../message.js'
import { microseconds } from '../microseconds.js'
import { bare } from '../rivals/bare.js'
import { celeriac } from '../rivals/celeriac.js'
import { noops } from '../sources.js'
import { readStamps } from '../stamps.js'
import { type Stand, until } from '../stand.js'
import { quantile } from '../statistics.js'
import { type Address, atWork } from '../workplace.js'

const GAP_MS = 3

export const latency: Case = {
  name: 'latency',
  title: 'latency, idle queue, publish to handler start',
  async run(stand) {
    const entrants = [
      byLatency(stand, 'Celeriac', celeriac(['-c', '16', '-l', 'WARNING'])),
      byLatency(stand, 'bare loop', bare({ consumers: 16, prefetch: 1 })),
    ]
    // The 99th percentile of a thousand is ten messages: what else the machine does shows there first, and more rounds get over it.
    const rounds = await alternate(entrants, stand.scale.manyRounds)
    const quantities = ['p50', 'p99'] as const
    const most = { p50: 1.5, p99: 1.2 }
    return {
      rows: entrants.flatMap(({ name }) =>
        quantities.map((quantity) => ({
          entrant: `${name}, ${quantity}`,
          unit: 'ms',
          ...rounds.of(name, quantity),
        })),
      ),
      figures: quantities.map((quantity) => ({
        what: `Celeriac / bare loop, ${quantity}`,
        label: `latency, ${quantity}: vs bare loop`,
        unit: 'x',
        target: { atMost: most[quantity] },
        ...rounds.ratio('Celeriac', 'bare loop', quantity),
      })),
    }
  },
}

/** From just before a message is published until its handler begins, in milliseconds, one message at a time. */
function byLatency(stand: Stand, name: string, launch: (address: Address) => Launch): Entrant<'p50' | 'p99'> {
  const { desk, scale, signal } = stand
  const count = scale.quick ? 200 : 1000
  return {
    name,
    measure: () =>
      atWork(stand, launch, async (place) => {
        await warmUp(stand, place, noops()(scale.warmUp))
        for (let index = 0; index < count; index++) {
          desk.send(place.queue, taskMessage('bench.stamp', [microseconds(), 0], { key: `key-${index}` }))
          await setTimeout(GAP_MS, undefined, { signal })
        }
        const all = (): boolean => readStamps(place.trace).length === count
        await until(all, { signal, what: 'all tasks to run', everyMs: 20 })
        const waits = readStamps(place.trace).map(({ began, sent }) => (began - sent) / 1000)
        return { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99) }
      }),
  }
}
