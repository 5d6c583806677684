import type { Logger } from '../ports.js'
import type { WorkerState } from '../request/state.js'

export interface CapacityOptions {
  readonly state: WorkerState
  /** Messages a slot may have reserved: `worker_prefetch_multiplier`; 0 for no limit. */
  readonly multiplier: number
  /** The most parked messages that the window grows for. */
  readonly parkedLimit: number
  readonly log: Logger
}

/** Part of `worker_parked_limit`: around the limit itself each message that leaves, and each that takes its place, would be a line in the log. */
const FEWER = 0.9

/** How many messages may be unsettled from each queue: those of its slots, and one more for each that is parked, up to what one key may keep waiting. */
export class Capacity {
  /** Slots a queue, as the controller shares them out. */
  split: ReadonlyMap<string, number> = new Map()
  private toldLimit = false

  constructor(private readonly options: CapacityOptions) {}

  /** No further message is taken before a parked one gets its turn. */
  get atLimit(): boolean {
    return this.options.state.parked >= this.options.parkedLimit
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
