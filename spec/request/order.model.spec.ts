import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Ending } from './model/places.js'
import { type Path, TASKS, type TaskName } from './model/queue.js'
import { OrderWorld } from './model/world.js'

const RUNS = 500
/** The most of a run. fast-check draws how many there are, and not all are possible when their turn comes: more than 200 on average are. */
const COMMANDS = 600

interface Model {
  /** Commands that were carried out. */
  count: number
}

/** A command, told by its text. Where it isn't possible nothing happens. */
class Step implements fc.AsyncCommand<Model, OrderWorld> {
  constructor(
    private readonly text: string,
    private readonly act: (world: OrderWorld) => void | Promise<void>,
    private readonly isPossible: (world: OrderWorld) => boolean = () => true,
  ) {}

  check(): boolean {
    return true
  }

  async run(model: Model, world: OrderWorld): Promise<void> {
    if (!this.isPossible(world)) return
    model.count++
    await this.act(world)
    world.check()
  }

  toString(): string {
    return this.text
  }
}

const PATHS: readonly (Path | null)[] = [
  null,
  ['a'],
  ['b'],
  ['b', 'x'],
  ['b', 'y'],
  ['b', 'x', '1'],
  ['b', 'x', '2'],
  ['c', 'x'],
]
const ENDINGS: readonly Ending[] = [
  'success',
  'success',
  'success',
  'failure',
  'retry',
  'long retry',
  'reject',
  'requeue',
]

const index = fc.nat(1000)
const pick = <T>(from: readonly T[], at: number): T => {
  const found = from[at % from.length]
  if (found === undefined) throw new Error('there is nothing to pick from')
  return found
}
const later = fc.option(fc.integer({ min: 100, max: 8000 }), { freq: 4 })

const publish = fc
  .tuple(fc.constantFrom<TaskName>(...TASKS), fc.constantFrom(...PATHS), later, later)
  .map(
    ([task, path, eta, expires]) =>
      new Step(`publish ${task} ${path?.join('/') ?? '-'} eta ${eta} expires ${expires}`, (world) =>
        world.publish(task, path, eta, expires),
      ),
  )
const deliver = fc.integer({ min: 1, max: 20 }).map(
  (count) =>
    new Step(
      `deliver ${count}`,
      (world) => world.deliver(count),
      (world) => world.queue.size > 0,
    ),
)
const end = fc.tuple(index, fc.constantFrom(...ENDINGS)).map(
  ([at, ending]) =>
    new Step(
      `end ${at} ${ending}`,
      (world) => world.end(pick(world.running, at), ending),
      (world) => world.running.length > 0,
    ),
)
const advance = fc.integer({ min: 1, max: 3000 }).map((ms) => new Step(`advance ${ms}`, (world) => world.advance(ms)))
const resize = fc
  .integer({ min: 1, max: 8 })
  .map((slots) => new Step(`resize ${slots}`, (world) => world.resize(slots)))
const revoke = index.map(
  (at) =>
    new Step(
      `revoke ${at}`,
      (world) => world.revoke(pick(world.ids, at)),
      (world) => world.ids.length > 0,
    ),
)
const unblock = index.map(
  (at) =>
    new Step(
      `unblock ${at}`,
      (world) => world.unblock(pick(world.places.blocked, at)),
      (world) => world.places.blocked.length > 0,
    ),
)
const endAndLose = fc.tuple(index, fc.constantFrom(...ENDINGS)).map(
  ([at, ending]) =>
    new Step(
      `end ${at} ${ending} and lose the connection`,
      (world) => world.end(pick(world.running, at), ending, true),
      (world) => world.running.length > 0,
    ),
)
const lose = fc.constant(new Step('lose the connection', (world) => world.loseConnection()))

const step = fc.oneof(
  { weight: 30, arbitrary: publish },
  { weight: 30, arbitrary: end },
  { weight: 8, arbitrary: advance },
  { weight: 4, arbitrary: deliver },
  { weight: 4, arbitrary: unblock },
  { weight: 3, arbitrary: resize },
  { weight: 3, arbitrary: revoke },
  { weight: 1, arbitrary: lose },
  { weight: 1, arbitrary: endAndLose },
)

describe('order', () => {
  it('is kept, and nothing is lost, left behind or held up for nothing, whatever happens', async () => {
    const startedAt = performance.now()
    let count = 0
    await fc.assert(
      fc.asyncProperty(
        fc.commands([step], { maxCommands: COMMANDS, size: 'max' }),
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        async (commands, slots, stops) => {
          const world = new OrderWorld(slots)
          const model: Model = { count: 0 }
          await fc.asyncModelRun(async () => ({ model, real: world }), commands)
          await (stops ? world.stop() : world.drain())
          count += model.count
        },
      ),
      // Counterexamples are made small for as long as there is time.
      { numRuns: RUNS, interruptAfterTimeLimit: 110_000, markInterruptAsFailure: true },
    )
    const seconds = (performance.now() - startedAt) / 1000
    process.stdout.write(`${RUNS} runs of ${Math.round(count / RUNS)} commands on average in ${seconds.toFixed(1)} s\n`)
    expect(count).toBeGreaterThan(RUNS * 200)
  })
})
