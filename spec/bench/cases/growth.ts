import { alternate, type Entrant } from '../alternate.js'
import type { Pace } from '../count.js'
import { drain, warmUp } from '../drain.js'
import type { Case, Findings } from '../findings.js'
import { number } from '../number.js'
import { celeriac } from '../rivals/celeriac.js'
import { noops } from '../sources.js'
import type { Stand } from '../stand.js'
import { mean, summarize } from '../statistics.js'
import { atWork } from '../workplace.js'

/** So long that most of a hundred thousand keys come and go. */
const WHOLE_MS = 12_000

type Quantity = 'us' | 'cpuUs'

const SLOTS = ['-c', '16', '-l', 'WARNING']

export const backlogGrowth: Case = {
  name: 'backlog',
  title: 'cost a task as the backlog grows 1,000 -> 100,000',
  run: (stand) => {
    const most = stand.scale.quick ? 10_000 : 100_000
    return flat(stand, 'cost a task, 1,000 to 100,000 waiting', [
      // A thousand are gone in an instant: the mean of many such backlogs, one after the other in the same worker.
      byCost(stand, '1,000 waiting', { backlog: 1000, times: stand.scale.quick ? 3 : 20 }),
      byCost(stand, `${most.toLocaleString('en')} waiting`, { backlog: most, times: 1 }),
    ])
  },
}

export const keyGrowth: Case = {
  name: 'keys',
  title: 'cost a task as keys grow 10 -> 100,000',
  run: (stand) => {
    const most = stand.scale.quick ? 4000 : 100_000
    const order = { BENCH_ORDER: 'on' }
    return flat(stand, 'cost a task, 10 to 100,000 keys', [
      byCost(stand, '10 keys', { backlog: most, times: 1, keys: 10, env: order }),
      byCost(stand, `${most.toLocaleString('en')} keys`, {
        backlog: most,
        times: 1,
        keys: most,
        env: order,
        limitMs: WHOLE_MS,
      }),
    ])
  },
}

async function flat(stand: Stand, label: string, entrants: readonly Entrant<Quantity>[]): Promise<Findings> {
  const rounds = await alternate(entrants, stand.scale.rounds)
  const costs = entrants.map(({ name }) => rounds.of(name, 'us'))
  const perRound = (costs[0]?.rounds ?? []).map((_, round) => {
    const values = costs.map(({ rounds }) => rounds[round] ?? Number.NaN)
    return Math.max(...values) / Math.min(...values)
  })
  return {
    rows: entrants.map(({ name }) => ({
      entrant: name,
      unit: 'us a task',
      ...rounds.of(name, 'us'),
      note: `${number(rounds.of(name, 'cpuUs').median)} us of processor time a task`,
    })),
    figures: [{ what: 'dearest / cheapest', label, unit: 'x', target: { atMost: 1.15 }, ...summarize(perRound) }],
  }
}

interface Cost {
  readonly backlog: number
  /** Backlogs, one after the other. */
  readonly times: number
  /** Milliseconds of a backlog that are looked at, if not the stand's. */
  readonly limitMs?: number
  readonly keys?: number
  readonly env?: Readonly<Record<string, string>>
}

/** Time for a task while a backlog is drained, in microseconds. */
function byCost(stand: Stand, name: string, { backlog, env = {}, keys, limitMs, times }: Cost): Entrant<Quantity> {
  const source = noops({ keys })
  return {
    name,
    measure: () =>
      atWork(stand, celeriac(SLOTS, env), async (place) => {
        await warmUp(stand, place, source(stand.scale.warmUp))
        const paces: Pace[] = []
        for (let time = 0; time < times; time++) paces.push(await drain(stand, place, source(backlog), limitMs))
        return {
          us: mean(paces.map(({ tasksPerSecond }) => 1e6 / tasksPerSecond)),
          cpuUs: mean(paces.map(({ cpuUs }) => cpuUs)),
        }
      }),
  }
}
