import { CLOSED, type Holder, type HolderEvent, step } from '../../../lib/fleet/holder.js'

/** How a lane is given up: as `holder` says, or in a way that breaks the order. */
export type HandOver = 'drain and close' | 'cancel and nack' | 'close at once'

export interface WorldOptions {
  readonly handOver: HandOver
  /** The keys of the messages, in the order of the lane. */
  readonly keys: readonly string[]
  /** The most messages that a consumer may hold unsettled. */
  readonly prefetch: number
  /** How often each may happen in one history. */
  readonly budget: Budget
}

export interface Budget {
  /** A worker is told to hold the lane, or not to hold it any more. */
  readonly assign: number
  readonly crash: number
  readonly freeze: number
  /** A connection is lost, and the worker notices first: the broker holds what was delivered for some time yet. */
  readonly cut: number
}

interface Side {
  readonly holder: Holder
  /** On its way from the broker. */
  readonly inbox: readonly number[]
  readonly waiting: readonly number[]
  readonly running: readonly number[]
  /** On its way to the broker, in this order: `consume`, `ack 2`, `nack 2`, `cancel`, `close`. */
  readonly outbox: readonly string[]
  /** The broker has answered that the channel is closed. */
  readonly closed: boolean
  readonly frozen: boolean
  /** The connection that the broker knows is not the worker's any more. */
  readonly severed: boolean
  /** The broker has dropped the connection of a frozen worker. */
  readonly dropped: boolean
}

/** Everything about a lane, its broker and two workers. */
export interface World {
  /** By message: `ready`, `gone`, or who has it unsettled. */
  readonly queue: readonly string[]
  /** In the order in which they were opened: the first is active. */
  readonly consumers: readonly Name[]
  readonly A: Side
  readonly B: Side
  /** Whether a message has run to its end at least once. */
  readonly done: readonly boolean[]
  readonly budget: Budget
}

type Name = 'A' | 'B'
const NAMES: readonly Name[] = ['A', 'B']

/** One thing that may happen next. */
export interface Move {
  readonly what: string
  readonly world: World
  /** What it breaks; null for nothing. */
  readonly fault: string | null
  /** Whether it is up to the broker and the workers, and not to fate. */
  readonly isProgress: boolean
}

const IDLE: Side = {
  holder: CLOSED,
  inbox: [],
  waiting: [],
  running: [],
  outbox: [],
  closed: false,
  frozen: false,
  severed: false,
  dropped: false,
}

export function begin({ budget, keys }: WorldOptions): World {
  return { queue: keys.map(() => 'ready'), consumers: [], A: IDLE, B: IDLE, done: keys.map(() => false), budget }
}

/** All that may happen next. */
export function* moves(world: World, options: WorldOptions): Iterable<Move> {
  yield* ofBroker(world, options)
  for (const name of NAMES) {
    if (!world[name].frozen) yield* ofWorker(world, name, options)
    yield* ofFate(world, name, options)
  }
}

function* ofBroker(world: World, { keys, prefetch }: WorldOptions): Iterable<Move> {
  const active = world.consumers[0]
  const next = world.queue.indexOf('ready')
  if (active !== undefined && next >= 0 && world.queue.filter((state) => state === active).length < prefetch) {
    const sent = put({ ...world, queue: set(world.queue, next, active) }, active, (side) =>
      side.severed || side.dropped ? {} : { inbox: [...side.inbox, next] },
    )
    yield move(`deliver ${next} to ${active}`, sent)
  }
  for (const name of NAMES) {
    const side = world[name]
    const [first, ...outbox] = side.outbox
    if (first === undefined || side.severed || side.dropped) continue
    const [verb = '', argument] = first.split(' ')
    const message = Number(argument)
    const taken = put(world, name, () => ({ outbox }))
    const what = `the broker gets ${first} of ${name}`
    if (verb === 'consume') yield move(what, { ...taken, consumers: [...taken.consumers, name] })
    if (verb === 'cancel') yield move(what, { ...taken, consumers: without(taken.consumers, name) })
    if (verb === 'nack') yield move(what, { ...taken, queue: set(taken.queue, message, 'ready') })
    if (verb === 'close')
      yield move(
        what,
        put(takenBack(taken, name), name, () => ({ closed: true })),
      )
    if (verb === 'ack') {
      const early = keys.findIndex((key, at) => at < message && key === keys[message] && world.queue[at] !== 'gone')
      const fault = early < 0 ? null : `${message} is gone for good before ${early}`
      yield { ...move(what, { ...taken, queue: set(taken.queue, message, 'gone') }), fault }
    }
  }
}

function* ofWorker(world: World, name: Name, options: WorldOptions): Iterable<Move> {
  const { keys } = options
  const { closed, holder, inbox, outbox, running, waiting } = world[name]
  const [message, ...rest] = inbox
  if (message !== undefined) {
    yield move(
      `${name} gets ${message}`,
      put(world, name, () => ({ inbox: rest, waiting: [...waiting, message] })),
    )
  }
  if (holder.phase === 'opening' && world.consumers.includes(name)) {
    yield move(`${name} has opened`, happened(world, name, 'opened', options))
  }
  if (holder.phase === 'draining' && running.length === 0) {
    yield move(`${name} is idle`, happened(world, name, 'idle', options))
  }
  if (closed) {
    const forgotten = put(world, name, () => ({ closed: false, inbox: [], waiting: [] }))
    yield move(`${name} has closed`, happened(forgotten, name, 'closed', options))
  }
  const isOpen = holder.phase === 'opening' || holder.phase === 'held'
  for (const [at, each] of waiting.entries()) {
    const hasKey = (other: number): boolean => keys[other] === keys[each]
    if (!isOpen || running.some(hasKey) || waiting.slice(0, at).some(hasKey)) continue
    const started = put(world, name, () => ({
      waiting: waiting.filter((other) => other !== each),
      running: [...running, each],
    }))
    yield { ...move(`${name} starts ${each}`, started), fault: faultOf(world, name, each, keys) }
  }
  for (const each of running) {
    const ended = put({ ...world, done: set(world.done, each, true) }, name, () => ({
      running: running.filter((other) => other !== each),
      outbox: [...outbox, `ack ${each}`],
    }))
    yield move(`${name} ends ${each}`, ended)
  }
}

/** What a start breaks. What a frozen worker was running does not run, and is told to stop before it goes on. */
function faultOf(world: World, name: Name, message: number, keys: readonly string[]): string | null {
  for (const other of NAMES) {
    const { dropped, running } = world[other]
    if (other === name || dropped) continue
    const same = running.find((each) => keys[each] === keys[message])
    if (same !== undefined) return `${message} starts while ${same} runs`
  }
  const early = keys.findIndex((key, at) => at < message && key === keys[message] && !world.done[at])
  return early < 0 ? null : `${message} starts before ${early} has ended`
}

function* ofFate(world: World, name: Name, options: WorldOptions): Iterable<Move> {
  const { budget } = world
  const side = world[name]
  const spend = (what: keyof Budget): World => ({ ...world, budget: { ...budget, [what]: budget[what] - 1 } })
  if (budget.assign > 0 && !side.frozen) {
    const event = side.holder.wanted ? 'release' : 'want'
    yield fate(`${name} is told to ${event}`, happened(spend('assign'), name, event, options))
  }
  if (budget.crash > 0)
    yield fate(
      `${name} crashes`,
      put(takenBack(spend('crash'), name), name, () => IDLE),
    )
  if (budget.freeze > 0 && !side.frozen && !side.severed) {
    yield fate(
      `${name} freezes`,
      put(spend('freeze'), name, () => ({ frozen: true })),
    )
  }
  if (side.frozen && !side.dropped) {
    yield fate(
      `the broker drops ${name}`,
      put(takenBack(world, name), name, () => ({ dropped: true, outbox: [] })),
    )
  }
  if (side.frozen) {
    const thawed = put(world, name, () => ({ frozen: false, dropped: false }))
    yield move(`${name} thaws`, side.dropped ? lost(thawed, name, options) : thawed)
  }
  if (budget.cut > 0 && !side.frozen && !side.severed) {
    yield fate(
      `${name} is cut off`,
      lost(
        put(spend('cut'), name, () => ({ severed: true })),
        name,
        options,
      ),
    )
  }
  if (side.severed) {
    yield move(
      `the broker drops ${name}`,
      put(takenBack(world, name), name, () => ({ severed: false })),
    )
  }
}

/** What a worker does that has lost its connection: it opens again only once the broker has dropped the old one. */
function lost(world: World, name: Name, options: WorldOptions): World {
  const cleared = put(world, name, () => ({ inbox: [], waiting: [], outbox: [], closed: false }))
  return happened(cleared, name, 'lost', options)
}

/** Something happens to a worker's holder, and the worker does what that says. */
function happened(world: World, name: Name, event: HolderEvent, options: WorldOptions): World {
  const { actions, holder } = step(world[name].holder, event)
  let after = put(world, name, () => ({ holder }))
  for (const action of actions) {
    if (action === 'open') after = send(after, name, 'consume')
    if (action === 'close') after = send(after, name, 'close')
    if (action === 'abort') after = put(after, name, () => ({ running: [] }))
    if (action === 'drain' && options.handOver === 'close at once') after = send(after, name, 'close')
    if (action === 'drain' && options.handOver === 'cancel and nack') {
      const { waiting } = after[name]
      after = send(after, name, 'cancel', ...waiting.map((message) => `nack ${message}`))
      after = put(after, name, () => ({ waiting: [] }))
    }
  }
  return after
}

/** The broker has back, at its place, what a worker held, and drops its consumer. */
function takenBack(world: World, name: Name): World {
  return {
    ...world,
    queue: world.queue.map((state) => (state === name ? 'ready' : state)),
    consumers: without(world.consumers, name),
  }
}

function send(world: World, name: Name, ...frames: readonly string[]): World {
  return put(world, name, ({ outbox }) => ({ outbox: [...outbox, ...frames] }))
}

function put(world: World, name: Name, change: (side: Side) => Partial<Side>): World {
  return { ...world, [name]: { ...world[name], ...change(world[name]) } }
}

function set<T>(list: readonly T[], at: number, item: T): readonly T[] {
  return list.map((each, place) => (place === at ? item : each))
}

function without(list: readonly Name[], name: Name): readonly Name[] {
  return list.filter((each) => each !== name)
}

function move(what: string, world: World): Move {
  return { what, world, fault: null, isProgress: true }
}

function fate(what: string, world: World): Move {
  return { what, world, fault: null, isProgress: false }
}
