import { Agenda } from './agenda.js'
import { Closure } from './closure.js'
import { Pauses, type PausesOptions } from './pauses.js'
import { Rates } from './rates.js'
import type { ParkReason, Request } from './request.js'
import type { Revoked } from './revoked.js'
import { Turns, type TurnsOptions } from './turns.js'

export interface GateOptions extends Omit<TurnsOptions, 'onTurn'> {
  /** The breakers of the app, and the tasks that wait for them. */
  readonly pausing: Pick<PausesOptions, 'breakers' | 'tasks'>
  /** Called with a request that waits only for a slot. */
  onReady(request: Request): void
  readonly revoked: Revoked
  /** Settles a request that expired or was revoked before it ran. Never rejects. */
  onDiscarded(request: Request, reason: 'expired' | 'revoked'): Promise<unknown>
  /** Called with each request that is taken in, before it waits or runs. */
  onAdmitted(request: Request): void
  /** Called with a request that waits for its ETA. If sent elsewhere, it leaves by `depart`. */
  onEta(request: Request, delayMs: number): void
}

/** Pause before a message with a key that its task has put back is tried again: its queue would deliver it at once. */
const AGAIN_MS = 1000

/**
 * What a message waits for before it may have a slot: its ETA, then the messages of its key before it, then the
 * breakers of its task, then its rate limit. Meanwhile it is parked. On a stop or a loss it leaves through here.
 */
export class Gate {
  readonly rates: Rates
  readonly pauses: Pauses
  private readonly turns: Turns
  private readonly agenda: Agenda
  /** What the gate no longer lets through. */
  readonly closure = new Closure()

  constructor(private readonly options: GateOptions) {
    this.agenda = new Agenda(options.clock)
    this.turns = new Turns({ ...options, onTurn: (requests) => this.proceed(requests) })
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
    if (revoked.has(request.id)) this.discard(request, 'revoked')
    else if (request.isExpired(clock)) this.discard(request, 'expired')
    else if (this.closure.covers(request)) this.turnBack(request)
    else this.letIn(request)
  }

  /** Keeps a request at the head of its lane, without a slot, for `delayMs` until its next try; not if revoked meanwhile. */
  hold(request: Request, delayMs: number): void {
    if (!request.delivery.live) this.release(request)
    else if (this.closure.covers(request)) this.putBack(request)
    else {
      this.park(request, 'retry')
      this.watchExpiry(request)
      request.addTimer(this.agenda.setTimer(this.pass, delayMs, request))
      if (this.options.revoked.covers(request)) this.discard(request, 'revoked')
    }
  }

  /**
   * Discards revoked requests that wait here, except those being sent on: the broker may have the copy already.
   * @returns the revoked requests that run already
   */
  discardRevoked(isRevoked: (request: Request) => boolean): Request[] {
    const running: Request[] = []
    for (const request of [...this.options.state.requests].filter(isRevoked)) {
      if (request.state === 'running') running.push(request)
      else if (!request.leaving) this.discard(request, 'revoked')
    }
    return running
  }

  /** Releases a request that is settled for good: what waited for it may go. */
  release(request: Request): void {
    this.withdraw(request)
    this.turns.leave(request)
  }

  /** Releases a request that failed, and keeps what is behind it until an operator unblocks the key. */
  block(request: Request): void {
    this.turns.block(request)
    this.release(request)
  }

  /** Acknowledges a request that was sent on to wait for its ETA, unless it is gone from here meanwhile. */
  depart(request: Request): void {
    request.leaving = false
    if (request.state !== 'parked') return
    this.withdraw(request)
    request.delivery.ack()
    this.turns.leaveAfter(request, request.delivery.writing)
  }

  /** Keeps a request here that could not be sent on. */
  stay(request: Request): void {
    request.leaving = false
    if (this.options.revoked.covers(request)) this.discard(request, 'revoked')
    else if (this.closure.takes(request)) this.turnBack(request)
  }

  /**
   * Returns a message that isn't done after its run to its queue. One with a key is tried again in its place until the
   * gate closes: given back on an open channel, it would come behind messages of its key that are on their way.
   */
  putBack(request: Request): void {
    const isClosed = this.closure.covers(request)
    if (request.key !== null && !isClosed) this.hold(request, AGAIN_MS)
    else this.giveBack(request)
    if (isClosed) this.giveBackUnheld()
  }

  /** Opens a lane that a failure has blocked. @returns whether it was blocked */
  unblock(key: string): boolean {
    return this.turns.unblock(key)
  }

  /**
   * Stops starting requests, and gives back those that haven't started, in order. Requests that wait behind a running
   * one are kept unacknowledged: nobody else may get them before that run has ended.
   * @param queue only requests from this queue, now and until `closure.reopen`; null for all
   */
  close(queue: string | null = null): void {
    if (queue === null) for (const each of [this.pauses, this.turns]) each.stop()
    this.closure.add(queue)
    const { requests } = this.options.state
    for (const each of requests) if (this.closure.takes(each) && each.parkedFor === 'eta') this.standBehind(each)
    this.giveBackUnheld()
  }

  /** Forgets requests that haven't started and whose connection is lost: the broker has them again. */
  forgetLost(): void {
    const lost = [...this.options.state.requests].filter(({ delivery, state }) => state !== 'running' && !delivery.live)
    for (const request of lost) this.withdraw(request)
    for (const request of lost) this.turns.leave(request)
  }

  private letIn(request: Request): void {
    const { clock, onAdmitted, onEta } = this.options
    onAdmitted(request)
    this.watchExpiry(request)
    const delayMs = (request.message.eta ?? 0) - clock.now()
    if (delayMs > 0) {
      request.addTimer(this.agenda.setTimer(this.enter, delayMs, request))
      this.park(request, 'eta')
      onEta(request, delayMs)
    } else this.enter(request)
  }

  private readonly enter = (request: Request): void => {
    if (this.turns.enter(request)) this.pass(request)
  }

  /** Gives back a request that comes to a closed gate, after what runs before it. */
  private turnBack(request: Request): void {
    this.standBehind(request)
    this.giveBackUnheld()
  }

  /** Takes its place in the order at once, so that it goes back only after what runs before it has ended. */
  private standBehind(request: Request): void {
    request.cancelTimers()
    this.turns.enter(request)
  }

  /** Passes on the requests whose turn it is. */
  private proceed(requests: readonly Request[]): void {
    if (this.closure.isAny) this.giveBackUnheld()
    for (const request of requests.filter((each) => !this.closure.covers(each))) {
      this.turns.endWait(request)
      this.pass(request)
    }
  }

  /** Gives back what the closed gate holds, except requests that wait for the end of a run. */
  private giveBackUnheld(): void {
    this.closure.sweep(() => {
      const { held } = this.turns
      const going = [...this.options.state.requests].filter((each) => this.closure.takes(each) && !held.has(each))
      for (const request of going) this.giveBack(request)
    })
  }

  /** Passes on a request that its key doesn't hold up, to the breakers and the rate of its task. */
  private readonly pass = (request: Request): void => {
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
    if (reason !== 'breaker') this.pauses.remove(request)
    request.delivery.detach?.()
    this.options.state.move(request, 'parked', reason)
  }

  private watchExpiry(request: Request): void {
    const leftMs = request.message.expires === null ? null : request.message.expires - this.options.clock.now()
    if (leftMs !== null) request.addTimer(this.agenda.setTimer(this.expire, leftMs + 1, request))
  }

  private readonly expire = (request: Request): void => this.discard(request, 'expired')
  private discard(request: Request, reason: 'expired' | 'revoked'): void {
    // Once running, it was in time. Its other timers are gone by then, but one may be firing already.
    if (request.state === 'running' || request.state === 'done') return
    this.withdraw(request)
    const discarded = this.options.onDiscarded(request, reason)
    this.turns.leaveAfter(request, request.key === null ? null : discarded.then(() => request.delivery.writing))
  }

  private giveBack(request: Request): void {
    this.withdraw(request)
    request.delivery.giveBack()
    this.turns.leave(request)
  }

  /** Ends all waits of the request; it keeps its place in the order. */
  private withdraw(request: Request): void {
    request.cancelTimers()
    this.rates.remove(request)
    this.turns.endWait(request)
    this.pauses.remove(request)
    this.options.state.move(request, 'done')
  }
}
