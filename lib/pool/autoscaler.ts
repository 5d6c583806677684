import type { Component } from '../component.js'
import { coerceError } from '../errors.js'
import type { Clock, Logger, Timer } from '../ports.js'
import type { WorkerState } from '../request/state.js'
import type { Capacity } from './capacity.js'
import { type Bounds, type Decision, decide, initialState } from './controller.js'
import type { Pool } from './pool.js'

/** Ticks that come early, because all slots are busy, keep this distance. */
const EARLIEST_MS = 25

interface QueueDepth {
  readonly ready: number
  readonly consumers: number
}

/** What the autoscaler sees and moves while a connection is up. */
export interface Intake {
  /** Ready messages and consumers of the whole fleet, by queue. */
  depth(): Promise<ReadonlyMap<string, QueueDepth>>
  /** Consumers of our own. */
  consumers(queue: string): number
  resize(capacity: ReadonlyMap<string, number>): void
}

export interface AutoscalerOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly state: WorkerState
  readonly pool: Pool
  readonly capacity: Capacity
  /** At the start; `setBounds` changes them. */
  readonly bounds: Bounds
  readonly intervalMs: number
  /** The queues that are consumed at present. */
  queues(): readonly string[]
  /** Whether something that the tasks depend on is away, so that more of them at once would only wait for it. */
  isHeldUp(): boolean
}

/** Asks the controller each interval, and at once when every slot is busy, and does what it says. */
export class Autoscaler implements Component {
  readonly name = 'autoscaler'
  private controller = initialState()
  private intake: Intake | null = null
  private timer: Timer | null = null
  private ticking = false
  private tickedAt = Number.NEGATIVE_INFINITY
  private stopped = false
  /** As last heard: a queue that can't be asked keeps its figures. */
  private readonly depths = new Map<string, QueueDepth>()
  private loop = performance.eventLoopUtilization()
  /** The last decisions, latest last: for `inspect slots`. */
  readonly decisions: Array<Omit<Decision, 'state'> & { readonly at: number }> = []

  private limits: Bounds

  constructor(private readonly options: AutoscalerOptions) {
    this.limits = options.bounds
    const queues = options.queues()
    const share = Math.max(1, Math.floor(options.pool.size / queues.length))
    options.capacity.split = new Map(queues.map((queue) => [queue, share]))
  }

  get bounds(): { readonly max: number; readonly min: number } {
    return this.limits
  }

  /** Changes the bounds, at once. The least is one slot. */
  setBounds({ max, min }: { readonly max: number; readonly min: number }): void {
    const { pool } = this.options
    this.limits = { ...this.limits, max: Math.max(1, max), min: Math.max(1, Math.min(min, max)) }
    pool.resize(Math.min(Math.max(pool.size, this.limits.min), this.limits.max))
    this.schedule(0)
  }

  /** The queues have changed. */
  requeue(): void {
    const { capacity, queues } = this.options
    capacity.split = new Map(queues().map((queue) => [queue, capacity.split.get(queue) ?? 1]))
    this.intake?.resize(capacity.perQueue())
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

  /** Follows a new connection's window. */
  attach(intake: Intake): void {
    this.intake = intake
    intake.resize(this.options.capacity.perQueue())
  }

  detach(): void {
    this.intake = null
  }

  /** All slots are busy: see at once whether something waits, rather than when the interval ends. */
  hurry(): void {
    const { clock, pool } = this.options
    if (this.stopped || this.ticking || pool.size >= this.limits.max) return
    const sinceMs = clock.monotonic() - this.tickedAt
    if (sinceMs >= EARLIEST_MS) void this.tick()
    else this.schedule(EARLIEST_MS - sinceMs)
  }

  private schedule(delayMs: number): void {
    if (this.stopped) return
    this.timer?.cancel()
    this.timer = this.options.clock.setTimer(() => void this.tick(), delayMs)
  }

  private async tick(): Promise<void> {
    if (this.ticking || this.stopped) return
    this.ticking = true
    this.tickedAt = this.options.clock.monotonic()
    try {
      await this.decideOnce()
    } catch (thrown) {
      this.options.log.error(`The autoscaler missed a tick: ${coerceError(thrown).message}`)
    } finally {
      this.ticking = false
      this.schedule(this.options.intervalMs)
    }
  }

  private async decideOnce(): Promise<void> {
    const { capacity, clock, pool, state } = this.options
    const { intake } = this
    const depth = await intake?.depth()
    if (!intake || !depth || intake !== this.intake) return
    for (const [queue, found] of depth) this.depths.set(queue, found)
    const loop = performance.eventLoopUtilization()
    const decision = decide(
      this.controller,
      {
        now: clock.monotonic(),
        queues: new Map(
          this.options
            .queues()
            .map((queue) => [
              queue,
              { ...(this.depths.get(queue) ?? { ready: 0, consumers: 0 }), ownConsumers: intake.consumers(queue) },
            ]),
        ),
        slots: pool.size,
        busy: pool.busy,
        reserved: state.ready,
        parked: state.parked,
        received: state.received,
        completed: state.completed,
        serviceMsTotal: state.serviceMsTotal,
        loopUtilisation: performance.eventLoopUtilization(loop, this.loop).utilization,
        breakerOpen: this.options.isHeldUp(),
        intakeStopped: capacity.atLimit,
      },
      this.limits,
    )
    this.loop = loop
    this.controller = decision.state
    this.apply(decision)
    capacity.split = decision.split
    intake.resize(capacity.perQueue())
  }

  private apply(decision: Decision): void {
    const { clock, log, pool } = this.options
    const change = decision.slots - pool.size
    if (change === 0) return
    const { slots, reason, detail, split } = decision
    this.decisions.push({ at: clock.now(), slots, reason, detail, split })
    if (this.decisions.length > 100) this.decisions.shift()
    log.info(`Scaling ${change > 0 ? 'up' : 'down'} ${Math.abs(change)} slots to ${slots}: ${reason}`, {
      slots,
      reason,
      ...detail,
    })
    pool.resize(slots)
  }
}
