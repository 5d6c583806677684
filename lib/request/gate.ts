import { Holds, type HoldsOptions } from './holds.js'
import type { Lanes } from './lanes.js'
import { Pauses, type PausesOptions } from './pauses.js'
import { Rates } from './rates.js'
import type { ParkReason, Request } from './request.js'
import type { Revoked } from './revoked.js'

export interface GateOptions extends HoldsOptions {
  readonly lanes: Lanes
  /** The breakers of the app, and the tasks that wait for them. */
  readonly pausing: Pick<PausesOptions, 'breakers' | 'tasks'>
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

/** The pause before a message with a key is tried again that its task has put back: the queue would hand it out again at once. */
const AGAIN_MS = 1000

/**
 * What a message waits for before it may have a slot: its time, then the messages of its key before it, then the breakers that
 * its task pauses for, then its task's rate limit. While it waits it is parked and costs no slot. On a stop, or when its connection is lost, what hasn't started leaves through here as well.
 */
export class Gate {
  readonly rates: Rates
  readonly pauses: Pauses
  private readonly holds: Holds
  private closing = false

  constructor(private readonly options: GateOptions) {
    this.holds = new Holds(options)
    this.rates = new Rates({
      clock: options.clock,
      // A breaker may have opened while the request waited here.
      onTurn: (request) => {
        if (this.pauses.admit(request)) this.makeReady(request)
      },
    })
    this.pauses = new Pauses({
      ...options.pausing,
      requests: options.state.requests,
      onPaused: (request) => this.park(request, 'breaker'),
      onTurn: (request) => this.passRate(request),
    })
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
      this.standBehind(request)
      this.giveBackUnheld()
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
      this.putBack(request)
      return
    }
    this.pauses.remove(request)
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

  /** The request is settled for good: what waited for it alone may go. */
  release(request: Request): void {
    const freed = this.remove(request)
    if (this.closing) this.giveBackUnheld()
    else this.passAll(freed)
  }

  /** The request has failed, and what is behind it stays there until an operator lets it go on. */
  block(request: Request): void {
    this.options.lanes.block(request)
    this.release(request)
  }

  /** The request was sent on to where it waits for its time; it is acknowledged, unless it is gone from here meanwhile. */
  depart(request: Request): void {
    request.leaving = false
    if (request.state !== 'parked') return
    this.release(request)
    request.delivery.ack()
  }

  /**
   * A request's run is over, but the message isn't done: it goes back to its queue. With a key it does so only when the gate closes;
   * before, it is tried again in its place after a second. Given back on a channel that goes on, it would come again behind those of
   * its key that are on their way here already.
   */
  putBack(request: Request): void {
    if (request.key !== null && !this.closing) {
      this.hold(request, AGAIN_MS)
      return
    }
    this.giveBack(request)
    if (this.closing) this.giveBackUnheld()
  }

  /** Opens a lane that a failure has shut. @returns whether it was shut */
  unblock(key: string): boolean {
    const freed = this.options.lanes.unblock(key)
    if (freed && !this.closing) this.passAll(freed)
    return freed !== null
  }

  /**
   * Stops letting anything start, and gives back what hasn't, in order. What waits behind a request that still runs is kept,
   * unacknowledged: nobody else may get it before that run has ended.
   */
  close(): void {
    this.closing = true
    this.pauses.stop()
    this.holds.stop()
    for (const request of this.options.state.requests) {
      if (request.parkedFor === 'eta' && !request.leaving) this.standBehind(request)
    }
    this.giveBackUnheld()
  }

  /** Forgets what hasn't started and whose connection is gone: the broker has it again. */
  forgetLost(): void {
    const freed: Request[] = []
    for (const request of [...this.options.state.requests]) {
      if (request.state !== 'running' && !request.delivery.live) freed.push(...this.remove(request))
    }
    if (!this.closing) this.passAll(freed.filter(({ delivery }) => delivery.live))
  }

  private enter(request: Request): void {
    const { lanes } = this.options
    if (request.key === null || lanes.enter(request.key, request)) this.pass(request)
    else this.wait(request, request.key)
  }

  private wait(request: Request, key: string): void {
    this.holds.add(request, key)
    this.park(request, 'order')
  }

  private endWait(request: Request): void {
    if (request.parkedFor === 'order' && request.key !== null) this.holds.remove(request, request.key)
  }

  private passAll(freed: readonly Request[]): void {
    for (const request of freed) {
      this.endWait(request)
      this.pass(request)
    }
  }

  /** Takes its place in the order at once, so that it goes back no sooner than what runs before it has ended. */
  private standBehind(request: Request): void {
    request.cancelTimers()
    if (request.key !== null && !this.options.lanes.enter(request.key, request)) this.wait(request, request.key)
  }

  /** While the gate closes: gives back all but what waits for the end of a run. */
  private giveBackUnheld(): void {
    const { lanes, state } = this.options
    const held = new Set(lanes.behind(state.running))
    for (const request of [...state.requests]) {
      if (request.state !== 'running' && !request.leaving && !held.has(request)) this.giveBack(request)
    }
  }

  /** Nothing of its key is in the request's way; what is left to wait for are the breakers and the rate of its task. */
  private pass(request: Request): void {
    if (this.pauses.admit(request)) this.passRate(request)
  }

  private passRate(request: Request): void {
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

  /** @returns the requests that may go now */
  private remove(request: Request): readonly Request[] {
    request.cancelTimers()
    this.rates.remove(request)
    this.endWait(request)
    this.pauses.remove(request)
    this.options.state.move(request, 'done')
    return this.options.lanes.leave(request)
  }
}
