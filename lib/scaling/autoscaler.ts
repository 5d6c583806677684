import type { QueueDepth } from '../broker/intake.js'
import type { Component } from '../component.js'
import { coerceError } from '../errors.js'
import type { Pool } from '../line/pool.js'
import type { Clock, Logger, Timer } from '../ports.js'
import type { WorkerState } from '../request/state.js'
import type { Capacity } from './capacity.js'
import { type Bounds, decide, initialState } from './controller.js'
import { DecisionLog } from './decisionLog.js'
import { EarlyTicks } from './earlyTicks.js'
import { waiting } from './estimate.js'
import { loopWatch } from './loopWatch.js'
import type { QueueSample } from './sample.js'

/** What the autoscaler reads and changes while a connection is up. */
export interface Intake {
  /** The queues that are consumed at present. */
  queues(): readonly string[]
  /** Ready messages and consumers of the whole fleet, by queue. */
  depth(): Promise<ReadonlyMap<string, QueueDepth>>
  /** Number of this worker's own consumers. */
  consumers(queue: string): number
  resize(capacity: ReadonlyMap<string, number>): void
}

export interface AutoscalerOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly state: WorkerState
  readonly pool: Pool
  readonly capacity: Capacity
  /** Bounds at the start; `setBounds` changes them. */
  readonly bounds: Bounds
  readonly intervalMs: number
  /** Bytes of resident memory that the process may have; null for no limit. */
  readonly memoryCeiling: number | null
  /**
   * Returns the fraction of the time since the last call in which the event loop was busy, 0 to 1; by default that of
   * this process.
   */
  readonly loopUtilisation?: () => number
  /**
   * Returns the breaker of a dependency that is unavailable, so that more tasks at once would only wait for it; null
   * for none.
   */
  heldUpBy(): string | null
}

/** Asks the controller at each interval, and at once when every slot is busy, and applies its decision. */
export class Autoscaler implements Component {
  readonly name = 'autoscaler'
  private controller = initialState()
  private intake: Intake | null = null
  private timer: Timer | null = null
  private ticking = false
  private tickedAt = Number.NEGATIVE_INFINITY
  private stopped = false
  private heldBack = false
  /** True if something waited for a slot at the last tick. */
  private waits = false
  private readonly early = new EarlyTicks()
  /** Last known depths: a queue that can't be asked keeps its figures. */
  private readonly depths = new Map<string, QueueDepth>()
  private readonly loopUtilisation: () => number
  private readonly log: DecisionLog
  private limits: Bounds

  constructor(private readonly options: AutoscalerOptions) {
    this.limits = options.bounds
    this.log = new DecisionLog(options.clock, options.log)
    this.loopUtilisation = options.loopUtilisation ?? loopWatch()
    options.pool.onFull(() => this.tickEarly())
  }

  /** The last decisions to open or close slots, or to hold back; latest last: for `inspect slots`. */
  get decisions(): DecisionLog['decisions'] {
    return this.log.decisions
  }

  /** Number of such decisions since the start, by reason. */
  get counts(): DecisionLog['counts'] {
    return this.log.counts
  }

  get bounds(): { readonly max: number; readonly min: number } {
    return this.limits
  }

  /** Changes the bounds at once. The minimum is one slot. */
  setBounds({ max, min }: { readonly max: number; readonly min: number }): void {
    const { pool } = this.options
    this.limits = { ...this.limits, max: Math.max(1, max), min: Math.max(1, Math.min(min, max)) }
    pool.resize(Math.min(Math.max(pool.size, this.limits.min), this.limits.max))
    this.schedule(0)
  }

  /**
   * Handles a change of the consumed queues: each new one gets one slot until the next decision, which is due at once.
   */
  queuesChanged(): void {
    const { intake } = this
    if (!intake) return
    this.share(intake, 1)
    intake.resize(this.options.capacity.perQueue())
    this.schedule(0)
  }

  async start(): Promise<void> {
    this.schedule(this.options.intervalMs)
  }

  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    this.intake = null
  }

  /** Follows the window of a new connection. */
  attach(intake: Intake): void {
    const { capacity, pool } = this.options
    this.intake = intake
    const isFirst = capacity.split.size === 0
    this.share(intake, isFirst ? Math.max(1, Math.floor(pool.size / intake.queues().length)) : 1)
    intake.resize(capacity.perQueue())
  }

  detach(): void {
    this.intake = null
  }

  /** Checks at once, when all slots are busy, whether something waits, rather than at the end of the interval. */
  tickEarly(): void {
    const { clock, pool } = this.options
    // What holds it back doesn't change a moment later, and each tick sends a request to the broker.
    if (this.stopped || this.ticking || this.heldBack || pool.size >= this.limits.max) return
    const leftMs = this.tickedAt + this.early.distanceMs - clock.monotonic()
    if (leftMs <= 0) void this.tick(true)
    else this.schedule(leftMs, true)
  }

  /** @param share slots of a queue that has none yet */
  private share(intake: Intake, share: number): void {
    const { capacity } = this.options
    capacity.split = new Map(intake.queues().map((queue) => [queue, capacity.split.get(queue) ?? share]))
  }

  private schedule(delayMs: number, early = false): void {
    if (this.stopped) return
    this.timer?.cancel()
    this.timer = this.options.clock.setTimer(() => void this.tick(early), delayMs)
  }

  private async tick(early: boolean): Promise<void> {
    if (this.ticking || this.stopped) return
    this.ticking = true
    this.tickedAt = this.options.clock.monotonic()
    try {
      const grew = await this.decideOnce()
      if (early) this.early.came(grew)
      else this.early.rested()
    } catch (thrown) {
      this.options.log.error(`The autoscaler missed a tick: ${coerceError(thrown).message}`)
    } finally {
      this.ticking = false
      this.schedule(this.options.intervalMs)
      // Messages that wait because the last ones took every slot may be noticed only here: no slot is taken before one
      // is free.
      if (this.waits && this.options.pool.full) this.tickEarly()
    }
  }

  /** @returns whether slots were opened */
  private async decideOnce(): Promise<boolean> {
    const { capacity, clock, memoryCeiling, pool, state } = this.options
    const { intake } = this
    const depth = await intake?.depth()
    if (!intake || !depth || intake !== this.intake) return false
    for (const [queue, found] of depth) this.depths.set(queue, found)
    const heldUpBy = this.options.heldUpBy()
    const now = clock.monotonic()
    const sample = {
      now,
      queues: this.queues(intake),
      slots: pool.size,
      busy: pool.busy,
      reserved: state.ready,
      parked: state.parked,
      excess: intake.queues().reduce((sum, queue) => sum + state.excessFrom(queue), 0),
      received: state.received,
      completed: state.completed,
      serviceMsTotal: state.serviceMsTotal,
      runningMs: runningMs(state, now),
      loopUtilisation: this.loopUtilisation(),
      breakerOpen: heldUpBy !== null,
      intakeStopped: capacity.atLimit,
      ...(memoryCeiling === null ? {} : { memoryUse: process.memoryUsage.rss() / memoryCeiling }),
    }
    const decision = decide(this.controller, sample, this.limits)
    this.controller = decision.state
    this.heldBack = decision.heldBack === true
    this.waits = waiting(sample) > 0
    const { size } = pool
    if (decision.slots !== size) {
      this.log.resized(decision, size)
      pool.resize(decision.slots)
    }
    if (this.limits.max > this.limits.min) this.log.heldBack(decision, heldUpBy)
    capacity.split = decision.split
    intake.resize(capacity.perQueue())
    return decision.slots > size
  }

  private queues(intake: Intake): Map<string, QueueSample> {
    const busy = new Map<string, number>()
    for (const { delivery } of this.options.state.running) busy.set(delivery.queue, (busy.get(delivery.queue) ?? 0) + 1)
    return new Map(
      intake.queues().map((queue) => {
        const { ready, consumers } = this.depths.get(queue) ?? { ready: 0, consumers: 0 }
        return [queue, { ready, consumers, ownConsumers: intake.consumers(queue), busy: busy.get(queue) ?? 0 }]
      }),
    )
  }
}

/** Returns the total time of the present runs so far. */
function runningMs(state: WorkerState, now: number): number {
  let sum = 0
  for (const { startedAt } of state.running) if (startedAt !== null) sum += now - startedAt
  return sum
}
