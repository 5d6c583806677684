import { coerceError } from '../errors.js'
import type { Timer } from '../ports.js'
import { repr } from '../protocol/repr.js'
import type { Request } from '../request/request.js'
import type { Outcome } from '../trace/outcome.js'
import type { Child } from './child.js'
import type { ChildKind, ChildPoolOptions } from './childKind.js'
import { type Executor, type RunHooks, refusalOf } from './executor.js'
import { limitLoading } from './loadLimit.js'
import { runJob, writeLine } from './runJob.js'

/** Milliseconds until the next attempt to start a child that fails to start, doubled with each attempt. */
const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 30_000
/** Milliseconds that an idle child may take to close the app's connection. */
export const END_MS = 5000

interface Seat {
  readonly child: Child
  state: 'loading' | 'idle' | 'busy' | 'ending'
  tasks: number
  /** Called when the child dies during a task. */
  onLost: (how: string) => void
}

/**
 * Child processes or threads, each with one task at a time. They are replaced when they die, have run enough tasks, or
 * use too much memory.
 */
export class ChildPool implements Executor {
  readonly name: 'threads' | 'prefork'
  private readonly seats = new Set<Seat>()
  private readonly waiting: Array<(seat: Seat | null) => void> = []
  private size: number
  private started = false
  private stopped = false
  private children = 0
  private jobs = 0
  private retry: Timer | null = null
  private retryMs = FIRST_RETRY_MS

  constructor(
    private readonly kind: ChildKind,
    private readonly options: ChildPoolOptions,
  ) {
    this.name = kind.name
    this.size = options.size
  }

  async start(): Promise<void> {
    this.fill()
    try {
      await Promise.all([...this.seats].map(({ child }) => child.loaded))
      this.started = true
    } catch (thrown) {
      await this.stop()
      throw thrown
    }
  }

  async stop(): Promise<void> {
    this.stopped = true
    this.retry?.cancel()
    for (const give of this.waiting.splice(0)) give(null)
    const seats = [...this.seats]
    for (const seat of seats) {
      if (seat.state === 'idle') this.retire(seat)
      else if (seat.state !== 'ending') seat.child.kill()
    }
    await Promise.all(seats.map(({ child }) => child.gone))
  }

  get extraStopMs(): number {
    return (this.options.endMs ?? END_MS) - END_MS
  }

  async run(request: Request, hooks: RunHooks): Promise<Outcome> {
    const { breakers, clock, hooks: appHooks, hostname, log } = this.options
    const seat = await this.takeSeat()
    const refusal = refusalOf(request) ?? (seat === null ? new Error('the pool has stopped') : null)
    if (refusal !== null || seat === null) {
      if (seat) this.release(seat)
      return { state: 'ABORTED', error: coerceError(refusal), runtimeMs: 0 }
    }
    if (request.isExpired(clock)) {
      this.release(seat)
      return { state: 'REVOKED', reason: 'expired' }
    }
    return runJob(request, seat.child, hooks, {
      number: ++this.jobs,
      hostname,
      breakers: breakers.states,
      hooks: appHooks?.any ? appHooks : null,
      clock,
      log,
      onDone: ({ calls, memoryKib }) => {
        seat.tasks++
        breakers.count(calls)
        if (seat.state === 'ending') return
        if (this.isWorn(seat, memoryKib)) this.retire(seat)
        else this.release(seat)
      },
      onUnsent: () => this.release(seat),
      onLost: (fn) => {
        seat.onLost = fn
      },
      kill: () => {
        seat.state = 'ending'
        seat.child.kill()
        this.fill()
      },
    })
  }

  /** Grows at once. Shrinks by ending idle children now, and others as they become idle. */
  resize(size: number): void {
    this.size = size
    for (const seat of this.seats) {
      if (this.surplus > 0 && seat.state === 'idle') this.retire(seat)
    }
    this.fill()
  }

  describe(): Record<string, unknown> {
    return {
      implementation: this.kind.implementation,
      'max-concurrency': this.size,
      [this.kind.listed]: [...this.seats].map(({ child }) => child.id),
    }
  }

  private get surplus(): number {
    return [...this.seats].filter(({ state }) => state !== 'ending').length - this.size
  }

  private fill(): void {
    try {
      while (!this.stopped && this.surplus < 0) this.add()
    } catch (thrown) {
      // The system has no memory, or no more threads, for one at present.
      if (!this.started) throw thrown
      this.options.log.error(`A child didn't start: ${repr(coerceError(thrown))}`)
      this.fillLater()
    }
  }

  private add(): void {
    const child = this.kind.make(this.options.source, ++this.children)
    const seat: Seat = { child, state: 'loading', tasks: 0, onLost: () => undefined }
    this.seats.add(seat)
    this.listen(seat)
    limitLoading(child, this.options)
    child.loaded.then(
      () => {
        this.retryMs = FIRST_RETRY_MS
        if (seat.state === 'loading') this.release(seat)
      },
      (thrown) => {
        // The initiator of the start gets the error from `start`.
        if (this.started) this.options.log.error(`${child.label} didn't start: ${repr(coerceError(thrown))}`)
      },
    )
    void child.gone.then((how) => this.lose(seat, how))
  }

  private lose(seat: Seat, how: string): void {
    const { state } = seat
    seat.state = 'ending'
    this.seats.delete(seat)
    seat.onLost(how)
    if (this.stopped) return
    if (state === 'idle' || state === 'busy') this.options.log.error(`${seat.child.label} exited with '${how}'`)
    if (state === 'loading') this.fillLater()
    else this.fill()
  }

  private fillLater(): void {
    if (this.retry) return
    this.retry = this.options.clock.setTimer(() => {
      this.retry = null
      this.fill()
    }, this.retryMs)
    this.retryMs = Math.min(LONGEST_RETRY_MS, this.retryMs * 2)
  }

  /** Waits for a free child; null once the pool has stopped. */
  private async takeSeat(): Promise<Seat | null> {
    while (!this.stopped) {
      const idle = [...this.seats].find(({ state }) => state === 'idle')
      if (idle) idle.state = 'busy'
      const seat = await (idle ?? this.nextSeat())
      // The child may have died in the meantime.
      if (seat === null || this.seats.has(seat)) return seat
    }
    return null
  }

  private nextSeat(): Promise<Seat | null> {
    let give: (seat: Seat | null) => void = () => undefined
    const wait = new Promise<Seat | null>((resolve) => {
      give = resolve
      this.waiting.push(give)
    })
    const gaveUp = (): string => {
      this.waiting.splice(this.waiting.indexOf(give), 1)
      return 'no child was free before the worker stopped'
    }
    return this.options.stopLimit?.within(wait, gaveUp).catch(() => null) ?? wait
  }

  /** Gives a free seat to the task that has waited longest. */
  private release(seat: Seat): void {
    if (seat.state === 'ending') return
    this.listen(seat)
    if (this.stopped || this.surplus > 0) {
      this.retire(seat)
      return
    }
    const next = this.waiting.shift()
    seat.state = next ? 'busy' : 'idle'
    next?.(seat)
  }

  /** Handles messages of an idle child, for example about a promise that was left over. */
  private listen(seat: Seat): void {
    seat.onLost = () => undefined
    seat.child.onMessage = (message) => {
      if (message.type === 'log') writeLine(this.options.log, message)
    }
  }

  private retire(seat: Seat): void {
    seat.state = 'ending'
    seat.child.end()
    const timer = this.options.clock.setTimer(() => seat.child.kill(), this.options.endMs ?? END_MS)
    void seat.child.gone.then(() => timer.cancel())
    this.fill()
  }

  private isWorn(seat: Seat, memoryKib: number): boolean {
    const { log, maxMemoryPerChildKib, maxTasksPerChild } = this.options
    if (maxMemoryPerChildKib !== null && memoryKib > maxMemoryPerChildKib) {
      log.warning(`child process exiting after exceeding memory limit (${memoryKib}KiB / ${maxMemoryPerChildKib}KiB)`)
      return true
    }
    return maxTasksPerChild !== null && seat.tasks >= maxTasksPerChild
  }
}
