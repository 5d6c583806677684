/** A queue as a passive declare tells it, and our part in it. */
export interface QueueSample {
  /** Messages in the broker that were delivered to nobody. */
  readonly ready: number
  /** Open consumers of the whole fleet. */
  readonly consumers: number
  readonly ownConsumers: number
  /** Messages from it that run here. */
  readonly busy: number
}

/** What the controller sees. Totals only grow; the time between two samples may be anything. */
export interface Sample {
  /** Monotonic milliseconds. */
  readonly now: number
  /** Every queue that is consumed; one that couldn't be asked with its last known figures, for what isn't named gets no consumer. */
  readonly queues: ReadonlyMap<string, QueueSample>
  /** Slots that there are, and those of them in which a task runs. */
  readonly slots: number
  readonly busy: number
  /** Messages received that wait for a slot. */
  readonly reserved: number
  /** Messages received that wait for something else; slots wouldn't help them. */
  readonly parked: number
  /** Total of messages received. */
  readonly received: number
  /** Total of runs that ended, and of the milliseconds that they took. */
  readonly completed: number
  readonly serviceMsTotal: number
  /** Milliseconds for which the runs that are under way have lasted so far, together. */
  readonly runningMs: number
  /** Part of the time in which the event loop was busy, 0 to 1. */
  readonly loopUtilisation: number
  /** A dependency of the tasks is down: more of them at once would only fail. */
  readonly breakerOpen: boolean
  /** The limit of parked messages is reached: what is ready in the broker can't be taken, however many slots there are. */
  readonly intakeStopped?: boolean
  /** Part of the memory that the process may have which it has, 0 to 1; absent where nothing limits it. */
  readonly memoryUse?: number
}
