import type { Delivery } from '../../../lib/ports.js'
import type { Link } from './link.js'
import type { Message, Path } from './queue.js'

/** How a run ends. */
export type Ending = 'success' | 'failure' | 'retry' | 'long retry' | 'reject' | 'requeue'

/** One delivery of a message, or what a failure has left to keep its key shut. */
export interface Held {
  readonly message: Message
  readonly delivery: Delivery
  /** Through which it came. */
  readonly link: Link
  /** Ends its present run. */
  run: ((ending: Ending) => void) | null
  begun: boolean
  /** Its last run has ended. */
  ended: boolean
  /** And its end waits to be stored. */
  storing: boolean
  /** Its settlement is on its way to the broker. */
  written: boolean
  retryAt: number
  /** Whether its failure keeps its key shut, once it is settled. */
  fails: boolean
  blocks: boolean
  mayGoBack: boolean
  wentBack: boolean
}

/** Whether one of two keys is the other, or contains it. */
export function conflicts(one: Path | null, other: Path | null): boolean {
  if (one === null || other === null) return false
  const [short, long] = one.length < other.length ? [one, other] : [other, one]
  return short.every((part, at) => part === long[at])
}

export function inTheWay(one: Held, other: Held): boolean {
  return conflicts(one.message.path, other.message.path)
}

/** Its run has ended, and it keeps its slot until that is stored, and with a key until its settlement is written. */
export function isSettling({ delivery, ended, message, storing, written }: Held): boolean {
  return storing || (ended && message.path !== null && delivery.live && !written)
}

/** It runs, or is still to be settled; with a key it is here until that is written. */
export function isHere(held: Held): boolean {
  const { delivery, message, run, written } = held
  if (run !== null || isSettling(held)) return true
  return delivery.live && !(message.path ? written : delivery.settled)
}

/** It was discarded, in its place or as it was about to run; until that is written it keeps its place, and its slot if it had one. */
export function isLeaving(held: Held): boolean {
  return held.run === null && !isSettling(held) && held.delivery.settled
}

/** This one, and all in `order` that may not go before it. */
export function behindIn(order: readonly Held[], held: Held): Set<Held> {
  const found = new Set([held])
  const at = order.indexOf(held)
  for (const other of at < 0 ? [] : order.slice(at + 1)) {
    if ([...found].some((each) => inTheWay(each, other))) found.add(other)
  }
  return found
}

/** Who is in hand, and in which order those came whose keys have one: the plainest list of them, looked through each time. */
export class Places {
  /** Every delivery in hand: unsettled, or still running. */
  held: Held[] = []
  /** Those of them that have their place, in its order, and what keeps a key shut. */
  order: Held[] = []
  readonly revoked = new Set<string>()
  /** What falls due while the clock goes on, in that order. */
  private due: Held[] = []

  constructor(private readonly now: () => number) {}

  get blocked(): readonly Path[] {
    return this.order.filter(({ blocks }) => blocks).map(({ message }) => message.path ?? [])
  }

  /** The keys of all that has a place, and those that contain them. */
  get lanes(): ReadonlySet<string> {
    const paths = this.order.map(({ message }) => message.path ?? [])
    return new Set(paths.flatMap((path) => path.map((_, at) => path.slice(0, at + 1).join('/'))))
  }

  /** With an ETA it has its place when it is due; what comes too late has none. */
  add(held: Held): void {
    this.held.push(held)
    if (held.message.path && !this.isOver(held) && (held.message.eta ?? 0) <= this.now()) this.order.push(held)
  }

  /** To be told before the clock goes on until `until`; `placeDue` is then due. */
  expectDue(until: number): void {
    const dueAt = ({ message }: Held): number => message.eta ?? 0
    const found = this.held.filter((held) => held.message.path && dueAt(held) > this.now() && dueAt(held) <= until)
    this.due = found.sort((one, other) => dueAt(one) - dueAt(other))
  }

  placeDue(): void {
    const ready = this.due.filter(({ message }) => (message.eta ?? 0) <= this.now())
    this.due = this.due.filter((held) => !ready.includes(held))
    const isInTime = ({ message: { eta, expires, id } }: Held): boolean =>
      !this.revoked.has(id) && (expires === null || (eta ?? 0) <= expires)
    this.order.push(...ready.filter((held) => isHere(held) && isInTime(held)))
  }

  unblock(path: Path): void {
    this.order = this.order.filter((held) => !held.blocks || held.message.path !== path)
  }

  /** Drops what is over. */
  forget(): void {
    this.held = this.held.filter(isHere)
    this.order = this.order.filter((held) => held.blocks || this.held.includes(held))
  }

  /** What has its place before this one and is in its way. */
  before(held: Held): Held[] {
    const at = this.order.indexOf(held)
    return at < 0 ? [] : this.order.slice(0, at).filter((other) => inTheWay(other, held))
  }

  /** Nothing that the line has still got (`kept`), or has just discarded, is before it any more, and it need not wait for a rate. */
  isFree(held: Held, kept: ReadonlySet<Delivery>): boolean {
    if (held.message.task === 'limited' || !isHere(held) || this.isOver(held)) return false
    if (this.held.some((other) => this.isOver(other) && inTheWay(other, held))) return false
    return !this.before(held).some((other) => other.blocks || kept.has(other.delivery))
  }

  /** It was discarded, or is about to be. */
  isOver(held: Held): boolean {
    const { message, run } = held
    const { eta, expires, id } = message
    if (run !== null || isSettling(held)) return false
    return this.revoked.has(id) || (expires !== null && (this.now() > expires || (eta ?? 0) > expires))
  }

  /** It won't run any more, whatever becomes of its delivery. */
  isVoid({ expires, id }: Message): boolean {
    return this.revoked.has(id) || (expires !== null && this.now() > expires)
  }
}
