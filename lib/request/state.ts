import { rootOf } from '../app/orderKey.js'
import { LinkedList } from '../containers/linkedList.js'
import { Listeners } from '../listeners.js'
import type { BadMessageReason } from '../protocol/badMessage.js'
import type { ParkReason, Request, RequestState } from './request.js'

/** Why a message was settled without becoming a request. */
export type RefusalReason = BadMessageReason | 'unregistered' | 'order-key' | 'deliveries'

/** Limits on the order keys: the number of messages that wait for one key, and how long a message waits for it. */
export type HoldLimit = 'depth' | 'age'

/** How a request ended. */
export type Ending = 'succeeded' | 'failed' | 'retried' | 'ignored' | 'rejected' | 'revoked' | 'aborted'

/**
 * What the worker holds and what it has done. Read by the controller, remote control and metrics; written by the line.
 */
export class WorkerState {
  /** Every request that was received and isn't done, in the order of arrival. */
  readonly requests = new LinkedList<Request>()
  readonly running = new LinkedList<Request>()
  /** Messages received, bad ones included. */
  received = 0
  /** Runs that began, retries in a lane included. */
  accepted = 0
  /** Runs that ended, retries in a lane included, and their total milliseconds. */
  completed = 0
  serviceMsTotal = 0
  /** Runs that go on although their hard time limit has passed and they were settled. */
  strays = 0
  /** Messages that were sent on, to wait for their ETA in the broker. */
  postponed = 0
  /** Messages that run without order because their order key could not be determined. */
  unordered = 0
  /** Messages that waited for their key beyond a limit. */
  readonly heldBeyond: Record<HoldLimit, number> = { depth: 0, age: 0 }
  readonly refused = new Map<RefusalReason, number>()
  readonly endings = new Map<Ending, number>()
  /**
   * Accepted tasks by their registered names: Celery's `stats.total`. Celery counts them by `shadow`, if a message has
   * one, but a sender may choose another one for each message.
   */
  readonly totals = new Map<string, number>()
  private readonly parking = new Listeners()
  private readonly counts: Record<RequestState, number> = { received: 0, parked: 0, ready: 0, running: 0, done: 0 }
  private readonly parkedByQueue = new Map<string, number>()
  private readonly excessByQueue = new Map<string, number>()

  get ready(): number {
    return this.counts.ready
  }

  get parked(): number {
    return this.counts.parked
  }

  parkedFrom(queue: string): number {
    return this.parkedByQueue.get(queue) ?? 0
  }

  /** Number of a queue's parked messages beyond the depth limits of their keys: nothing more is taken in for them. */
  excessFrom(queue: string): number {
    return this.excessByQueue.get(queue) ?? 0
  }

  /** Changes that number by one. The next change of the parked messages then reads it again. */
  exceed(queue: string, by: 1 | -1): void {
    this.excessByQueue.set(queue, this.excessFrom(queue) + by)
    if (by < 0) this.parking.tell()
  }

  /**
   * Calls `listener` whenever a queue's window must change its size because of its parked requests.
   * @returns a function that stops this
   */
  onParked(listener: () => void): () => void {
    return this.parking.add(listener)
  }

  add(request: Request): void {
    request.inHand = this.requests.add(request)
    this.counts[request.state]++
  }

  move(request: Request, to: RequestState, parkedFor: ParkReason | null = null): void {
    const from = request.state
    this.counts[from]--
    this.counts[to]++
    if (from === 'parked') this.park(request.delivery.queue, -1)
    if (to === 'parked') this.park(request.delivery.queue, 1)
    if (from === 'running') this.leaveSlot(request)
    if (to === 'running') {
      request.inSlot = this.running.add(request)
      this.accepted++
      const { name } = request.task
      this.totals.set(name, (this.totals.get(name) ?? 0) + 1)
    }
    if (to === 'done') {
      if (request.inHand) this.requests.remove(request.inHand)
      this.counts.done = 0
      request.closeChildren()
    }
    request.state = to
    request.parkedFor = parkedFor
    if ((from === 'parked') !== (to === 'parked')) this.parking.tell()
  }

  /** Takes a request from those that run. */
  leaveSlot(request: Request): void {
    if (request.inSlot) this.running.remove(request.inSlot)
  }

  /**
   * Returns whether an order key, or one of those that it contains or that contain it, has lost a message of one queue
   * and still holds one of another. The other may not run before the lost one has come again; only when both have is
   * the key in order.
   */
  hasSplitKey(): boolean {
    const lost = new Set<string>()
    for (const { delivery, key } of this.requests) if (key !== null && !delivery.live) lost.add(rootOf(key))
    for (const { delivery, key } of this.requests)
      if (key !== null && delivery.live && lost.has(rootOf(key))) return true
    return false
  }

  strayed(by: 1 | -1): void {
    this.strays += by
  }

  ran(serviceMs: number): void {
    this.completed++
    this.serviceMsTotal += serviceMs
  }

  refuse(reason: RefusalReason): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1)
  }

  end(ending: Ending): void {
    this.endings.set(ending, (this.endings.get(ending) ?? 0) + 1)
  }

  private park(queue: string, by: number): void {
    this.parkedByQueue.set(queue, this.parkedFrom(queue) + by)
  }
}
