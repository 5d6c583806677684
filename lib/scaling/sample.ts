/** A queue as reported by a passive declare, and this worker's part in it. */
export interface QueueSample {
  /** Messages in the broker that were delivered to nobody. */
  readonly ready: number
  /** Open consumers of the whole fleet. */
  readonly consumers: number
  readonly ownConsumers: number
  /** Messages of this queue that run here. */
  readonly busy: number
}

/** The controller's input. Totals only grow; the time between two samples may vary. */
export interface Sample {
  /** Monotonic milliseconds. */
  readonly now: number
  /**
   * Every consumed queue. One that couldn't be asked has its last known figures, since a queue that is missing gets no
   * consumer.
   */
  readonly queues: ReadonlyMap<string, QueueSample>
  /** Number of slots, and of those in which a task runs. */
  readonly slots: number
  readonly busy: number
  /** Messages received that wait for a slot. */
  readonly reserved: number
  /** Messages received that wait for something else; slots wouldn't help them. */
  readonly parked: number
  /** Those of them that take the place of others: for each, a slot gets no message. Absent for none. */
  readonly excess?: number
  /** Total of messages received. */
  readonly received: number
  /** Total of runs that ended, and of the milliseconds that they took. */
  readonly completed: number
  readonly serviceMsTotal: number
  /** Total milliseconds that the present runs have lasted so far. */
  readonly runningMs: number
  /** Fraction of the time in which the event loop was busy, 0 to 1. */
  readonly loopUtilisation: number
  /** True if a dependency of the tasks is unavailable: more tasks at once would only fail. */
  readonly breakerOpen: boolean
  /** True if the limit of parked messages is reached: ready messages can't be taken, however many slots there are. */
  readonly intakeStopped?: boolean
  /** Fraction of the allowed memory that the process uses, 0 to 1; absent if there is no limit. */
  readonly memoryUse?: number
}
