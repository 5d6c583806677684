import { alternate, type Entrant, type Rounds } from './alternate.js'
import type { Launch } from './contender.js'
import { TooSmall } from './count.js'
import { drain, warmUp } from './drain.js'
import type { Figure, Findings, Row } from './findings.js'
import type { BenchMessage } from './message.js'
import { number } from './number.js'
import type { Stand } from './stand.js'
import { type Address, atWork } from './workplace.js'

/** How much larger a backlog may become that is gone too soon. */
const MOST_TIMES = 8

/** Makes so many messages. */
export type Source = (count: number) => Iterable<BenchMessage>

export interface RateOptions {
  /** Messages, if not the stand's. */
  readonly backlog?: number
  readonly warmUp?: number
  /** Milliseconds after which the rest of the backlog doesn't matter. */
  readonly limitMs?: number
}

/** Tasks a second, and microseconds of processor time for one. */
export type RateQuantity = 'rate' | 'cpuUs'

/** An entrant that is measured by how fast it drains a backlog. */
export function byRate(
  stand: Stand,
  name: string,
  launch: (address: Address) => Launch,
  source: Source,
  options: RateOptions = {},
): Entrant<RateQuantity> {
  const { scale } = stand
  return {
    name,
    measure: () =>
      atWork(stand, launch, async (place) => {
        await warmUp(stand, place, source(options.warmUp ?? scale.warmUp))
        const backlog = options.backlog ?? scale.backlog
        for (let count = backlog; ; count *= 2) {
          try {
            const { cpuUs, tasksPerSecond } = await drain(stand, place, source(count), options.limitMs)
            return { rate: tasksPerSecond, cpuUs }
          } catch (thrown) {
            if (!(thrown instanceof TooSmall) || count >= backlog * MOST_TIMES) throw thrown
          }
        }
      }),
  }
}

/** A line for each entrant. */
export function rateRows(entrants: ReadonlyArray<{ readonly name: string }>, rounds: Rounds<RateQuantity>): Row[] {
  return entrants.map(({ name }) => ({
    entrant: name,
    unit: 'tasks/s',
    ...rounds.of(name, 'rate'),
    note: `${number(rounds.of(name, 'cpuUs').median)} us of processor time a task`,
  }))
}

/** One entrant beside another, of which it is to reach a part. */
export async function rateBeside(
  entrant: Entrant<RateQuantity>,
  other: Entrant<RateQuantity>,
  numberOfRounds: number,
  figure: Pick<Figure, 'what' | 'label' | 'target'>,
): Promise<Findings> {
  const rounds = await alternate([entrant, other], numberOfRounds)
  return {
    rows: rateRows([entrant, other], rounds),
    figures: [{ ...figure, unit: 'x', ...rounds.ratio(entrant.name, other.name, 'rate') }],
  }
}
