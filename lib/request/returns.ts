import type { Delivery } from '../ports.js'

/** At least so many messages are remembered, twice as many at most: the older half is forgotten at once. */
const REMEMBERED = 10_000

type Counted = Pick<Delivery, 'isCounted' | 'properties' | 'redelivered'>

/**
 * How often a quorum queue has had a message back, 0 for what it hasn't counted. RabbitMQ before 4.3 counts every return in
 * `x-delivery-count`; since then a nack counts in `x-acquired-count` alone. A message that wasn't delivered before has none: there
 * it is the sender's own header, as it always is on another kind of queue.
 */
export function returnsOf({ isCounted, properties: { headers }, redelivered }: Counted): number {
  const returns = headers?.['x-delivery-count']
  const acquired = headers?.['x-acquired-count'] ?? Number.POSITIVE_INFINITY
  if (!isCounted || !redelivered || typeof returns !== 'number' || typeof acquired !== 'number') return 0
  return Math.min(returns, acquired)
}

/**
 * Returns without a run, that this worker has seen itself: whoever waits here while the connection is lost again and again has done no
 * harm. The broker's count says nothing of that.
 */
export class Returns {
  private recent = new Map<string, number>()
  private older: ReadonlyMap<string, number> = new Map()

  /** The message goes back without having run here. */
  add(id: string): void {
    const unrun = this.unrun(id) + 1
    if (this.recent.size >= REMEMBERED) {
      this.older = this.recent
      this.recent = new Map()
    }
    this.recent.set(id, unrun)
  }

  /** Returns of the message after which it may have run. */
  countable(id: string, delivery: Counted): number {
    return Math.max(0, returnsOf(delivery) - this.unrun(id))
  }

  private unrun(id: string): number {
    return this.recent.get(id) ?? this.older.get(id) ?? 0
  }
}
