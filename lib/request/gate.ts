import type { Clock, Logger } from '../ports.js'
import type { Lanes } from './lanes.js'
import { Rates } from './rates.js'
import type { ParkReason, Request } from './request.js'
import type { Revoked } from './revoked.js'
import type { WorkerState } from './state.js'

export interface GateOptions {
  readonly clock: Clock
  readonly lanes: Lanes
  readonly state: WorkerState
  readonly log: Logger
  /** Gets what waits for nothing but a slot. */
  onReady(request: Request): void
  readonly revoked: Revoked
  /** Settles what ran out of time, or was revoked, before it ran; it has left the gate. */
  onDiscarded(request: Request, reason: 'expired' | 'revoked'): void
  /** Told of what is taken in, before it waits or runs. */
  onAdmitted(request: Request): void
  /** Told of what has to wait for its time: what is too far ahead may be sent elsewhere, and then leaves by `depart`. */
  onEta(request: Request, delayMs: number): void
}

/**
 * What a message waits for before it may have a slot: its time, then the messages of its key before it, then its task's rate
 * limit. While it waits it is parked and costs no slot. On a stop, or when its connection is lost, what hasn't started leaves through here as well.
 */
export class Gate {
  readonly rates: Rates
  private closing = false

  constructor(private readonly options: GateOptions) {
    this.rates = new Rates({ clock: options.clock, onTurn: (request) => this.makeReady(request) })
  }

  /** Lets a request in; to be called in the order of arrival. */
  admit(request: Request): void {
    const { clock, revoked, state } = this.options
    state.add(request)
    const { eta, expires } = request.message
    const now = clock.now()
    if (revoked.has(request.id)) {
      this.discard(request, 'revoked')
      return
    }
    if (request.isExpired(now)) {
      this.discard(request, 'expired')
      return
    }
    if (this.closing) {
      if (!this.isHeld(request)) this.giveBack(request)
      return
    }
    this.options.onAdmitted(request)
    if (expires !== null) request.keep(clock.setTimer(() => this.discard(request, 'expired'), expires - now + 1))
    if (eta !== null && eta > now) {
      request.keep(clock.setTimer(() => this.enter(request), eta - now))
      this.park(request, 'eta')
      this.options.onEta(request, eta - now)
    } else this.enter(request)
  }

  /** Keeps a request that is to be tried again at the head of its lane, for `delayMs`, without a slot. */
  hold(request: Request, delayMs: number): void {
    if (!request.delivery.live) {
      this.release(request)
      return
    }
    if (this.closing) {
      this.giveBackLane(request)
      return
    }
    this.park(request, 'retry')
    request.keep(this.options.clock.setTimer(() => this.pass(request), delayMs))
  }

  /** Discards at once what waits here and is revoked. @returns the requests that run already */
  discardRevoked(isRevoked: (request: Request) => boolean): Request[] {
    const running: Request[] = []
    for (const request of [...this.options.state.requests]) {
      if (!isRevoked(request)) continue
      if (request.state === 'running') running.push(request)
      else this.discard(request, 'revoked')
    }
    return running
  }

  /** The request is settled for good: the next one of its key may go. */
  release(request: Request): void {
    const next = this.remove(request)
    if (!next) return
    if (this.closing) this.giveBackLane(next)
    else this.pass(next)
  }

  /** The request was sent on to where it waits for its time; it is acknowledged, unless it is gone from here meanwhile. */
  depart(request: Request): void {
    request.leaving = false
    if (request.state !== 'parked') return
    this.release(request)
    request.delivery.ack()
  }

  /**
   * Gives a request and everything behind it in its lane back to the broker, in order. For a message that goes back to the
   * queue although its turn had come: were the ones behind it kept, they would overtake it.
   */
  giveBackLane(request: Request): void {
    const followers = request.key === null ? [] : this.options.lanes.behind(request.key)
    for (const each of [request, ...followers]) this.giveBack(each)
  }

  /** Opens a lane that a failure has shut. @returns whether it was shut */
  unblock(key: string): boolean {
    const { wasBlocked, next } = this.options.lanes.unblock(key)
    if (next) this.pass(next)
    return wasBlocked
  }

  /**
   * Stops letting anything start, and gives back what hasn't, in order. What waits behind a request that still runs is kept,
   * unacknowledged: nobody else may get it before that run has ended.
   */
  close(): void {
    this.closing = true
    for (const request of [...this.options.state.requests]) {
      if (request.state !== 'running' && !request.leaving && !this.isHeld(request)) this.giveBack(request)
    }
  }

  /** Forgets what hasn't started and whose connection is gone: the broker has it again. */
  forgetLost(): void {
    for (const request of [...this.options.state.requests]) {
      if (request.state !== 'running' && !request.delivery.live) this.remove(request)
    }
  }

  private enter(request: Request): void {
    const { lanes } = this.options
    if (request.key === null || lanes.enter(request.key, request)) this.pass(request)
    else this.park(request, 'order')
  }

  /** Nothing of its key is in the request's way; what is left to wait for is the rate of its task. */
  private pass(request: Request): void {
    if (this.rates.admit(request)) this.makeReady(request)
    else this.park(request, 'rate')
  }

  private makeReady(request: Request): void {
    this.options.state.move(request, 'ready')
    this.options.onReady(request)
  }

  private park(request: Request, reason: ParkReason): void {
    this.options.state.move(request, 'parked', reason)
  }

  private isHeld(request: Request): boolean {
    return request.key !== null && this.options.lanes.headOf(request.key)?.state === 'running'
  }

  private discard(request: Request, reason: 'expired' | 'revoked'): void {
    // Once it runs it has been in time; `keep`'s timers are gone by then, but a timer may be firing already.
    if (request.state === 'running' || request.state === 'done') return
    this.release(request)
    this.options.onDiscarded(request, reason)
  }

  private giveBack(request: Request): void {
    this.remove(request)
    request.delivery.giveBack()
  }

  /** @returns the request of the same key that may go now */
  private remove(request: Request): Request | null {
    request.cancelTimers()
    this.rates.remove(request)
    this.options.state.move(request, 'done')
    return request.key === null ? null : this.options.lanes.leave(request.key, request)
  }
}
