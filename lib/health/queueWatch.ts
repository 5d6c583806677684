import type { QueueDepth } from '../broker/intake.js'
import { QueueAge } from './queueAge.js'

export interface Seen extends QueueDepth {
  /** Monotonic milliseconds. */
  readonly at: number
}

/** Samples closer than this add nothing to an age. */
const LEAST_STEP_MS = 500

/** Keeps what the broker reports about the depths of queues, and derives ages from it. */
export class QueueWatch {
  private readonly seen = new Map<string, Seen>()
  private readonly ages = new Map<string, QueueAge>()

  /**
   * Adds a sample.
   * @param now monotonic milliseconds
   * @param ours messages taken from a queue since the start, and the consumers that take them
   */
  sample(
    now: number,
    depths: ReadonlyMap<string, QueueDepth>,
    ours: (queue: string) => { readonly arrived: number; readonly consumers: number },
  ): void {
    for (const [queue, { ready, consumers }] of depths) {
      this.seen.set(queue, { ready, consumers, at: now })
      const age = this.ages.get(queue) ?? new QueueAge()
      this.ages.set(queue, age)
      if (now - age.sampledAt < LEAST_STEP_MS) continue
      const { arrived, consumers: own } = ours(queue)
      age.sample(now, ready, arrived, own === 0 ? 0 : Math.max(1, consumers / own))
    }
  }

  /** Returns the last reading of a queue if it is no older than `withinMs`; null otherwise. */
  last(queue: string, now: number, withinMs: number): Seen | null {
    const seen = this.seen.get(queue)
    return seen && now - seen.at <= withinMs ? seen : null
  }

  /** Returns the seconds that the oldest message of a queue has waited in it; 0 for an empty queue. */
  oldestSeconds(queue: string, now: number): number {
    return (this.ages.get(queue)?.oldestMs(now) ?? 0) / 1000
  }
}
