import fc from 'fast-check'
import type { Network } from './network.js'
import type { Ending } from './places.js'
import { type Path, TASKS, type TaskName } from './queue.js'
import type { OrderWorld } from './world.js'

/** What fast-check keeps beside the world. */
export interface StepModel {
  /** Steps that were made. */
  count: number
}

/** A step, told by its text. Where it isn't possible nothing happens. */
class Step implements fc.AsyncCommand<StepModel, OrderWorld> {
  constructor(
    private readonly text: string,
    private readonly act: (world: OrderWorld) => Promise<void>,
    private readonly isPossible: (world: OrderWorld) => boolean = () => true,
  ) {}

  check(): boolean {
    return true
  }

  async run(model: StepModel, world: OrderWorld): Promise<void> {
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
const runs = (world: OrderWorld): boolean => world.running.length > 0
const later = fc.option(fc.integer({ min: 100, max: 8000 }), { freq: 4 })
const frames = fc.integer({ min: 1, max: 3 })

/** What its clients and its operators do. */
const publish = fc
  .tuple(fc.constantFrom<TaskName>(...TASKS), fc.constantFrom(...PATHS), later, later)
  .map(
    ([task, path, eta, expires]) =>
      new Step(`publish ${task} ${path?.join('/') ?? '-'} eta ${eta} expires ${expires}`, (world) =>
        world.publish(task, path, eta, expires),
      ),
  )
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
      (world) => world.unblock(pick(world.blocked, at)),
      (world) => world.blocked.length > 0,
    ),
)

/** What its tasks and its clock do. */
const end = fc
  .tuple(index, fc.constantFrom(...ENDINGS))
  .map(([at, ending]) => new Step(`end ${at} ${ending}`, (world) => world.end(pick(world.running, at), ending), runs))
const advance = fc.integer({ min: 1, max: 3000 }).map((ms) => new Step(`advance ${ms}`, (world) => world.advance(ms)))

const endAndCut = fc
  .tuple(index, fc.constantFrom(...ENDINGS))
  .map(
    ([at, ending]) =>
      new Step(`end ${at} ${ending} and cut`, (world) => world.end(pick(world.running, at), ending, true), runs),
  )

/** What the network and the broker do. */
const happens = (
  text: string,
  act: (network: Network) => void,
  isPossible: (network: Network) => boolean = () => true,
) =>
  new Step(
    text,
    (world) => world.befall(act),
    (world) => isPossible(world.network),
  )
const slow = fc
  .constantFrom<readonly [boolean, boolean]>([false, false], [false, false], [true, false], [false, true])
  .map(([up, down]) => happens(`slow up ${up} down ${down}`, (network) => network.slow(up, down)))
const pass = fc.tuple(fc.constantFrom<'up' | 'down'>('up', 'down'), frames).map(([way, count]) =>
  happens(
    `pass ${way} ${count}`,
    (network) => network.pass(way, count),
    (network) => network.link[way].size > 0,
  ),
)
const cut = fc.constant(happens('cut', (network) => network.cut()))
const lose = fc.constant(happens('lose', (network) => network.lose()))
const notice = fc.nat(4).map((late) =>
  happens(
    `notice after ${late}`,
    (network) => network.notice(late),
    (network) => network.isHeldUp,
  ),
)
const drop = fc.constant(happens('drop', (network) => network.drop()))
const takeBack = index.map((at) =>
  happens(
    `take back ${at}`,
    (network) => network.takeBack(at),
    (network) => network.mayTakeBack,
  ),
)

/** The least of it with which an order can be broken. */
export const fewSteps = fc.oneof(
  {
    weight: 30,
    arbitrary: fc
      .constantFrom<Path>(['a'], ['b'])
      .map((path) => new Step(`publish job ${path}`, (world) => world.publish('job', path, null, null))),
  },
  {
    weight: 30,
    arbitrary: index.map((at) => new Step(`end ${at}`, (world) => world.end(pick(world.running, at), 'success'), runs)),
  },
  { weight: 10, arbitrary: resize },
  { weight: 10, arbitrary: slow },
  { weight: 10, arbitrary: pass },
  { weight: 2, arbitrary: cut },
  { weight: 2, arbitrary: lose },
  { weight: 4, arbitrary: notice },
)

/** What happens in a run of the model, in no order but by chance. */
export const steps = fc.oneof(
  { weight: 60, arbitrary: publish },
  { weight: 60, arbitrary: end },
  { weight: 16, arbitrary: advance },
  { weight: 8, arbitrary: unblock },
  { weight: 12, arbitrary: resize },
  { weight: 6, arbitrary: revoke },
  { weight: 20, arbitrary: slow },
  { weight: 20, arbitrary: pass },
  { weight: 2, arbitrary: cut },
  { weight: 2, arbitrary: endAndCut },
  { weight: 2, arbitrary: lose },
  { weight: 4, arbitrary: notice },
  { weight: 1, arbitrary: drop },
  { weight: 3, arbitrary: takeBack },
)
