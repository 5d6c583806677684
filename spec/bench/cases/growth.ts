import { alternate, type Entrant, type Rounds } from '../alternate.js'
import type { Launch } from '../contender.js'
import { type Pace, TooSmall } from '../count.js'
import { drain, warmUp } from '../drain.js'
import type { Case, Findings } from '../findings.js'
import { number } from '../number.js'
import { bare } from '../rivals/bare.js'
import { celeriac } from '../rivals/celeriac.js'
import { noops } from '../sources.js'
import type { Stand } from '../stand.js'
import { mean, summarize } from '../statistics.js'
import { type Address, atWork } from '../workplace.js'

/** So long that most of a hundred thousand keys come and go. */
const WHOLE_MS = 12_000

type Quantity = 'us' | 'cpuUs'

const SLOTS = ['-c', '16', '-l', 'WARNING']

export const backlogGrowth: Case = {
  name: 'backlog',
  title: 'cost a task as the backlog grows 1,000 -> 100,000',
  async run(stand) {
    const most = stand.scale.quick ? 3000 : 100_000
    // A thousand are gone in an instant: the mean of many such backlogs, one after the other in the same worker.
    const few = { backlog: 1000, times: stand.scale.quick ? 1 : 20 }
    const many = { backlog: most, times: 1 }
    const loop = bare({ consumers: 16, prefetch: 1 })
    const names = { few: '1,000 waiting', many: `${most.toLocaleString('en')} waiting` }
    const entrants = [
      byCost(stand, names.few, few),
      byCost(stand, names.many, many),
      byCost(stand, `bare loop, ${names.few}`, few, loop),
      byCost(stand, `bare loop, ${names.many}`, many, loop),
    ]
    const rounds = await alternate(entrants, stand.scale.rounds)
    const ours = rounds
      .of(names.many, 'us')
      .rounds.map((us, round) => us / (rounds.of(names.few, 'us').rounds[round] ?? Number.NaN))
    const theirs = rounds
      .of(`bare loop, ${names.many}`, 'us')
      .rounds.map((us, round) => us / (rounds.of(`bare loop, ${names.few}`, 'us').rounds[round] ?? Number.NaN))
    return {
      rows: costRows(entrants, rounds),
      figures: [
        {
          what: 'processor time a task, 100,000 / 1,000',
          label: 'processor time a task, 1,000 to 100,000 waiting',
          unit: 'x',
          target: { atMost: 1.15 },
          ...rounds.ratio(names.many, names.few, 'cpuUs'),
        },
        {
          what: "growth of the time a task / the bare loop's",
          label: "time a task, the same: vs the bare loop's",
          unit: 'x',
          target: { atMost: 1.15 },
          ...summarize(ours.map((growth, round) => growth / (theirs[round] ?? Number.NaN))),
        },
      ],
      note: 'RabbitMQ itself hands out a long queue more slowly; the bare loop shows by how much.',
    }
  },
}

export const keyGrowth: Case = {
  name: 'keys',
  title: 'cost a task as keys grow 10 -> 100,000',
  run: (stand) => {
    const most = stand.scale.quick ? 2000 : 100_000
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
    rows: costRows(entrants, rounds),
    figures: [{ what: 'dearest / cheapest', label, unit: 'x', target: { atMost: 1.15 }, ...summarize(perRound) }],
  }
}

function costRows(entrants: readonly Entrant<Quantity>[], rounds: Rounds<Quantity>): Findings['rows'] {
  return entrants.map(({ name }) => ({
    entrant: name,
    unit: 'us a task',
    ...rounds.of(name, 'us'),
    note: `${number(rounds.of(name, 'cpuUs').median)} us of processor time a task`,
  }))
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
function byCost(
  stand: Stand,
  name: string,
  { backlog, env = {}, keys, limitMs, times }: Cost,
  launch: (address: Address) => Launch = celeriac(SLOTS, env),
): Entrant<Quantity> {
  const source = noops({ keys })
  return {
    name,
    measure: () =>
      atWork(stand, launch, async (place) => {
        await warmUp(stand, place, source(stand.scale.warmUp))
        const paces: Pace[] = []
        for (let missed = 0; paces.length < times; ) {
          try {
            paces.push(await drain(stand, place, source(backlog), limitMs))
          } catch (thrown) {
            // A thousand are gone in less than 100 ms, and the broker may answer no question meanwhile.
            if (!(thrown instanceof TooSmall) || ++missed > times) throw thrown
          }
        }
        return {
          us: mean(paces.map(({ tasksPerSecond }) => 1e6 / tasksPerSecond)),
          cpuUs: mean(paces.map(({ cpuUs }) => cpuUs)),
        }
      }),
  }
}
