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
  /** Gets what waits for nothing but a slot. */
  onReady(request: Request): void
  readonly revoked: Revoked
  /** Settles what ran out of time, or was revoked, before it ran. Resolves once it is settled; never rejects. */
  onDiscarded(request: Request, reason: 'expired' | 'revoked'): Promise<unknown>
  /** Told of what is taken in, before it waits or runs. */
  onAdmitted(request: Request): void
  /** Told of what has to wait for its time: what is too far ahead may be sent elsewhere, and then leaves by `depart`. */
  onEta(request: Request, delayMs: number): void
}

/** The pause before a message with a key is tried again that its task has put back: the queue would hand it out again at once. */
const AGAIN_MS = 1000

/**
 * What a message waits for before it may have a slot: its time, then the messages of its key before it, then the breakers that its task
 * pauses for, then its task's rate limit. While it waits it is parked and costs no slot. On a stop or a loss the rest leaves through here.
 */
export class Gate {
  readonly rates: Rates
  readonly pauses: Pauses
  private readonly turns: Turns
  private readonly agenda: Agenda
  /** What it lets nothing through of any more. */
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
    if (this.closure.covers(request)) {
      this.standBehind(request)
      this.giveBackUnheld()
      return
    }
    this.options.onAdmitted(request)
    const onExpiry = (): void => this.discard(request, 'expired')
    if (expires !== null) request.addTimer(this.agenda.setTimer(onExpiry, expires - now + 1))
    if (eta !== null && eta > now) {
      request.addTimer(this.agenda.setTimer(() => this.enter(request), eta - now))
      this.park(request, 'eta')
      this.options.onEta(request, eta - now)
    } else this.enter(request)
  }

  /** Keeps a request that is to be tried again at the head of its lane, for `delayMs`, without a slot. */
  hold(request: Request, delayMs: number): void {
    if (!request.delivery.live || this.closure.covers(request)) {
      if (request.delivery.live) this.putBack(request)
      else this.release(request)
      return
    }
    this.pauses.remove(request)
    this.park(request, 'retry')
    request.addTimer(this.agenda.setTimer(() => this.pass(request), delayMs))
  }

  /**
   * Discards at once what waits here and is revoked, except for what is being sent on: its copy may be in the broker already, and would
   * end a second time when it comes back. @returns the requests that run already
   */
  discardRevoked(isRevoked: (request: Request) => boolean): Request[] {
    const running: Request[] = []
    for (const request of [...this.options.state.requests]) {
      if (!isRevoked(request)) continue
      if (request.state === 'running') running.push(request)
      else if (!request.leaving) this.discard(request, 'revoked')
    }
    return running
  }

  /** The request is settled for good: what waited for it alone may go. */
  release(request: Request): void {
    this.withdraw(request)
    this.turns.leave(request)
  }

  /** The request has failed, and what is behind it stays there until an operator lets it go on. */
  block(request: Request): void {
    this.turns.block(request)
    this.release(request)
  }

  /** The request was sent on to where it waits for its time; it is acknowledged, unless it is gone from here meanwhile. */
  depart(request: Request): void {
    request.leaving = false
    if (request.state !== 'parked') return
    this.withdraw(request)
    request.delivery.ack()
    this.turns.leaveAfter(request, request.delivery.writing)
  }

  /** The request could not be sent on, and waits here after all. */
  stay(request: Request): void {
    const { revoked } = this.options
    request.leaving = false
    if (revoked.has(request.id) || revoked.hasStampOf(request.message.headers)) this.discard(request, 'revoked')
  }

  /**
   * A request's run is over, but the message isn't done: it goes back to its queue. With a key it does so only when the gate closes, and
   * is tried again in its place before: given back on a channel that goes on, it would come behind those of its key that are on their way.
   */
  putBack(request: Request): void {
    if (request.key !== null && !this.closure.covers(request)) {
      this.hold(request, AGAIN_MS)
      return
    }
    this.giveBack(request)
    if (this.closure.covers(request)) this.giveBackUnheld()
  }

  /** Opens a lane that a failure has shut. @returns whether it was shut */
  unblock(key: string): boolean {
    return this.turns.unblock(key)
  }

  /**
   * Stops letting anything start, and gives back what hasn't, in order. What waits behind a request that still runs is kept,
   * unacknowledged: nobody else may get it before that run has ended.
   * @param queue only what was taken from it, and what comes of it until `closure.reopen`; null for everything
   */
  close(queue: string | null = null): void {
    if (queue === null) {
      this.pauses.stop()
      this.turns.stop()
    }
    this.closure.add(queue)
    const { requests } = this.options.state
    for (const each of requests) if (this.closure.takes(each) && each.parkedFor === 'eta') this.standBehind(each)
    this.giveBackUnheld()
  }

  /** Forgets what hasn't started and whose connection is gone: the broker has it again. */
  forgetLost(): void {
    const lost = [...this.options.state.requests].filter(({ delivery, state }) => state !== 'running' && !delivery.live)
    for (const request of lost) this.withdraw(request)
    for (const request of lost) this.turns.leave(request)
  }

  private enter(request: Request): void {
    if (this.turns.enter(request)) this.pass(request)
  }

  /** Takes its place in the order at once, so that it goes back no sooner than what runs before it has ended. */
  private standBehind(request: Request): void {
    request.cancelTimers()
    this.turns.enter(request)
  }

  /** Gets those whose turn it is. */
  private proceed(requests: readonly Request[]): void {
    if (this.closure.isAny) this.giveBackUnheld()
    for (const request of requests.filter((each) => !this.closure.covers(each))) {
      this.turns.endWait(request)
      this.pass(request)
    }
  }

  /** Where the gate closes: gives back all but what waits for the end of a run. */
  private giveBackUnheld(): void {
    this.closure.sweep(() => {
      const { held } = this.turns
      const going = [...this.options.state.requests].filter((each) => this.closure.takes(each) && !held.has(each))
      for (const request of going) this.giveBack(request)
    })
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
    request.delivery.detach?.()
    this.options.state.move(request, 'parked', reason)
  }

  private discard(request: Request, reason: 'expired' | 'revoked'): void {
    // Once it runs it has been in time; its other timers are gone by then, but a timer may be firing already.
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

  /** The request waits for nothing here any more; its place in the order it keeps. */
  private withdraw(request: Request): void {
    request.cancelTimers()
    this.rates.remove(request)
    this.turns.endWait(request)
    this.pauses.remove(request)
    this.options.state.move(request, 'done')
  }
}
