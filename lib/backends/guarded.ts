import { type Breaker, type BreakerOptions, type BreakerState, createBreaker } from '../breaker.js'
import { coerceError } from '../errors.js'
import type { Backend, ChordStore, Clock, GroupStore, Logger, ResultRequest, Timer } from '../ports.js'
import type { ResultMeta } from '../protocol/result.js'
import type { StopLimit } from '../stopLimit.js'
import { BackendError, isRetriable } from './backendError.js'
import { GuardedChords, GuardedGroups } from './guardedChords.js'
import { Persistent } from './persistent.js'
import { type Entry, ResultLanes } from './resultLanes.js'

export interface GuardOptions {
  readonly clock: Clock
  readonly log: Logger
  /** How long `stop` waits for results that aren't stored yet; 10 s by default. */
  readonly stopTimeoutMs?: number
  /** Milliseconds between two tries of a result while the breaker is closed; 250 by default. */
  readonly retryMs?: number
  readonly breaker?: BreakerOptions
  /** Limits how long a result waits once the worker stops; without it, until `stop` gives up. */
  readonly stopLimit?: StopLimit
}

const RETRY_MS = 250

/*
 * state     means                                                     left when
 * storing   the first state of each task is sent at once, and one     the breaker opens: away
 *           that failed again after `retryMs`
 * away      nothing is sent                                           the breaker half opens: asking
 * asking    one state is to be sent, and its fate decides             it is sent: asked
 * asked     it is on its way, and nothing else is sent                it is stored: storing; it failed: away
 */
type GuardState = 'storing' | 'away' | 'asking' | 'asked'

/**
 * A backend that holds results while the wrapped one can't be reached. `store` resolves only once the result is stored,
 * so that a message acknowledged afterwards loses nothing. The states of one task are stored in the order in which they
 * came; those of different tasks side by side. Their number is bounded, since each waits in the slot of its task.
 * `stop` ends every state: results that come later are refused, and those that wait are given up after `stopTimeoutMs`.
 */
export class GuardedBackend implements Backend {
  readonly name: string
  readonly storesNothing: boolean
  readonly storeUnlessReady: ((meta: ResultMeta) => Promise<void>) | undefined
  readonly chords: ChordStore | undefined
  readonly groups: GroupStore | undefined
  readonly patient: Pick<Backend, 'get' | 'subscribe'>
  readonly breaker: Breaker<[ResultMeta, ResultRequest], void>
  private state: GuardState = 'storing'
  private readonly persistent: Persistent
  private readonly lanes = new ResultLanes()
  private retry: Timer | null = null
  private idle: (() => void) | null = null
  private stopping: Promise<void> | null = null
  private lastError = ''

  constructor(
    private readonly inner: Backend,
    private readonly options: GuardOptions,
  ) {
    this.name = inner.name
    this.storesNothing = inner.storesNothing
    this.storeUnlessReady = inner.storeUnlessReady && ((meta) => this.storeNow(meta))
    this.persistent = new Persistent({ ...options, retryMs: options.retryMs ?? RETRY_MS })
    this.patient = {
      get: (id) => this.persistent.run(`the state of task ${id} was not read`, () => inner.get(id)),
      subscribe: (id, onMeta) =>
        this.persistent.run(`task ${id} was not subscribed to`, () => inner.subscribe(id, onMeta)),
    }
    this.chords = inner.chords && new GuardedChords(inner.chords, this.persistent)
    this.groups = inner.groups && new GuardedGroups(inner.groups, this.persistent)
    this.breaker = createBreaker('results', (meta, request) => this.attempt(meta, request), {
      ...options.breaker,
      isFailure: isRetriable,
    })
    this.breaker.onChange((state) => this.changed(state))
  }

  /** Results that aren't stored yet. */
  get kept(): number {
    return this.lanes.size
  }

  start(): Promise<void> {
    return this.inner.start()
  }

  healthy(): boolean {
    return this.state === 'storing' && this.inner.healthy()
  }

  /**
   * @throws CeleriacError that isn't retriable, at once; BackendError or StoppedError if the result can't be stored
   *   before a stop gives up
   */
  store(meta: ResultMeta, request: ResultRequest): Promise<void> {
    if (this.stopping)
      return Promise.reject(new BackendError(`the result of task ${meta.taskId} arrived after shutdown`))
    let entry: Entry | undefined
    const storing = new Promise<void>((resolve, reject) => {
      entry = { meta, request, resolve, reject }
      this.lanes.add(entry)
      this.pump()
    })
    return this.options.stopLimit?.within(storing, () => this.giveUp(entry, meta.taskId)) ?? storing
  }

  /** Calls of this kind are not held. @throws BackendError while the store is away */
  private async storeNow(meta: ResultMeta): Promise<void> {
    if (this.state !== 'storing') throw new BackendError(this.lastError)
    await this.inner.storeUnlessReady?.(meta)
  }

  get(id: string): Promise<ResultMeta | null> {
    return this.inner.get(id)
  }

  subscribe(id: string, onMeta: (meta: ResultMeta) => void): Promise<() => Promise<void>> {
    return this.inner.subscribe(id, onMeta)
  }

  forget(id: string): Promise<void> {
    return this.inner.forget(id)
  }

  /**
   * Waits for results that aren't stored yet, up to `stopTimeoutMs`; the rest is logged, and the waiting callers get an
   * error.
   */
  stop(): Promise<void> {
    this.stopping ??= this.end()
    return this.stopping
  }

  /** The caller no longer waits for the result; if it was sent, it may still arrive. */
  private giveUp(entry: Entry | undefined, id: string): string {
    if (entry) this.leave(entry)
    return `the result of task ${id} was not stored: ${this.lastError || `${this.name} is silent`}`
  }

  private async end(): Promise<void> {
    if (this.kept > 0) {
      await new Promise<void>((resolve) => {
        const timer = this.options.clock.setTimer(resolve, this.options.stopTimeoutMs ?? 10_000)
        this.idle = () => {
          timer.cancel()
          resolve()
        }
      })
    }
    this.retry?.cancel()
    this.breaker.stop()
    this.persistent.stop()
    const left = this.lanes.clear()
    if (left.length > 0) {
      const ids = left.slice(0, 10).map(({ meta }) => meta.taskId)
      this.options.log.error(`${this.name}: ${left.length} results could not be stored: ${this.lastError}`, { ids })
    }
    for (const { meta, reject } of left)
      reject(new BackendError(`the result of task ${meta.taskId} was not stored: ${this.lastError}`))
    await this.inner.stop()
  }

  private pump(): void {
    if (this.state === 'storing') for (const id of this.lanes.sendable) void this.run(id)
    if (this.state !== 'asking') return
    const { probe } = this.lanes
    if (probe === undefined) return
    this.state = 'asked'
    void this.run(probe)
  }

  private async attempt(meta: ResultMeta, request: ResultRequest): Promise<void> {
    try {
      await this.inner.store(meta, request)
    } catch (thrown) {
      this.lastError = coerceError(thrown).message
      throw thrown
    }
  }

  private async run(id: string): Promise<void> {
    const entry = this.lanes.take(id)
    if (entry === undefined) return
    try {
      await this.breaker.run(entry.meta, entry.request)
      entry.resolve()
    } catch (thrown) {
      const error = coerceError(thrown)
      if (isRetriable(error)) {
        this.wait(entry)
        return
      }
      entry.reject(error)
    }
    this.leave(entry)
    this.pump()
  }

  private wait(entry: Entry): void {
    if (!this.lanes.fail(entry)) return
    this.retry ??= this.options.clock.setTimer(() => this.again(), this.options.retryMs ?? RETRY_MS)
  }

  private again(): void {
    this.retry?.cancel()
    this.retry = null
    if (this.state !== 'storing') return
    this.lanes.retry()
    this.pump()
  }

  private leave(entry: Entry): void {
    if (!this.lanes.remove(entry)) return
    if (this.kept === 0) this.idle?.()
  }

  private changed(breaker: BreakerState): void {
    const { log } = this.options
    if (breaker === 'open') {
      // Opened again after a failed try: nothing new to report.
      if (this.state === 'storing') {
        log.warning(`${this.name}: results are kept until it answers again: ${this.lastError}`)
      }
      this.state = 'away'
    } else if (breaker === 'half-open') {
      this.state = 'asking'
      this.pump()
    } else {
      this.state = 'storing'
      log.info(`${this.name}: results are stored again, ${this.kept} that were kept first`)
      this.again()
    }
  }
}
