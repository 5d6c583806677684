import type { Delivery } from '../../../lib/ports.js'
import type { FakeDelivery } from '../../support/fakeDelivery.js'
import type { Message, Path } from './queue.js'

/** How a run ends. */
export type Ending = 'success' | 'failure' | 'retry' | 'long retry' | 'reject' | 'requeue'

/** One delivery of a message, or what a failure has left to keep its key shut. */
export interface Held {
  readonly message: Message
  readonly delivery: FakeDelivery
  /** Ends its present run. */
  run: ((ending: Ending) => void) | null
  begun: boolean
  /** Its run has ended, and its end waits to be stored. */
  settling: boolean
  retryAt: number
  blocks: boolean
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

/** It runs, or is still to be settled. */
export function isHere({ delivery, run, settling }: Held): boolean {
  return run !== null || settling || (delivery.live && !delivery.settled)
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

  /** With an ETA it has its place when it is due. */
  add(held: Held): void {
    this.held.push(held)
    if (held.message.path && (held.message.eta ?? 0) <= this.now()) this.order.push(held)
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
    this.order.push(...ready.filter((held) => this.isInPlace(held)))
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

  isInPlace(held: Held): boolean {
    return held.blocks || (isHere(held) && !this.isOver(held))
  }

  /** Nothing that the line has still got (`kept`), or has just discarded, is before it any more, and it need not wait for a rate. */
  isFree(held: Held, kept: ReadonlySet<Delivery>): boolean {
    if (held.message.task === 'limited' || !this.isInPlace(held)) return false
    if (this.held.some((other) => !other.begun && this.isOver(other) && inTheWay(other, held))) return false
    return !this.before(held).some((other) => other.blocks || kept.has(other.delivery))
  }

  /** It was discarded and gave its place up at once; that it is settled may take a turn more. */
  isOver({ begun, message: { eta, expires, id }, run, settling }: Held): boolean {
    if (run !== null || settling) return false
    return this.revoked.has(id) || (!begun && expires !== null && (this.now() > expires || (eta ?? 0) > expires))
  }
}
