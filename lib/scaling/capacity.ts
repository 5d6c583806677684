import type { Logger } from '../ports.js'
import type { WorkerState } from '../request/state.js'

export interface CapacityOptions {
  readonly state: WorkerState
  /** Messages that a slot may reserve: `worker_prefetch_multiplier`; 0 for no limit. */
  readonly multiplier: number
  /** The number of parked messages up to which the window grows. */
  readonly parkedLimit: number
  readonly log: Logger
}

/**
 * Fraction of `worker_parked_limit`: right at the limit, each message that leaves and each that takes its place would
 * be logged.
 */
const FEWER = 0.9

/**
 * Computes how many messages may be unsettled from each queue: those of its slots, and one more for each parked
 * message, within the depth limits of the keys.
 */
export class Capacity {
  /** Slots of each queue, as the controller splits them. */
  split: ReadonlyMap<string, number> = new Map()
  private toldLimit = false

  constructor(private readonly options: CapacityOptions) {}

  /** True if no further message is taken until a parked one gets its turn. */
  get atLimit(): boolean {
    const { parkedLimit, state } = this.options
    return state.parked > 0 && state.parked >= parkedLimit
  }

  perQueue(): Map<string, number> {
    const { state, multiplier, parkedLimit } = this.options
    this.tellLimit()
    let left = parkedLimit
    const capacity = new Map<string, number>()
    for (const [queue, slots] of this.split) {
      const parked = Math.min(left, state.parkedFrom(queue) - state.excessFrom(queue))
      left -= parked
      capacity.set(queue, slots * Math.max(1, multiplier) + parked)
    }
    return capacity
  }

  private tellLimit(): void {
    const { log, parkedLimit, state } = this.options
    const isOver = this.toldLimit ? state.parked > parkedLimit * FEWER : this.atLimit
    if (isOver === this.toldLimit) return
    this.toldLimit = isOver
    if (isOver) {
      log.warning(
        `${state.parked} messages are waiting, as many as worker_parked_limit allows: no more are taken until some of them start or move to the delay queues`,
      )
    } else log.info('Fewer messages are waiting than worker_parked_limit: taking messages again')
  }
}
