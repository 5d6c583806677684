import type { Delivery } from '../ports.js'

/** At least this many messages are remembered, and at most twice as many: the older half is forgotten at once. */
const REMEMBERED = 10_000

type Counted = Pick<Delivery, 'isCounted' | 'properties' | 'redelivered'>

/**
 * Returns how often a quorum queue got a message back; 0 if the queue doesn't count. RabbitMQ before 4.3 counts every
 * return in `x-delivery-count`; since 4.3 a nack counts in `x-acquired-count` only. On a message that wasn't delivered
 * before, and on any other kind of queue, these headers are the sender's own.
 */
export function returnsOf({ isCounted, properties: { headers }, redelivered }: Counted): number {
  const returns = headers?.['x-delivery-count']
  const acquired = headers?.['x-acquired-count'] ?? Number.POSITIVE_INFINITY
  if (!isCounted || !redelivered || typeof returns !== 'number' || typeof acquired !== 'number') return 0
  return Math.min(returns, acquired)
}

/**
 * Returns without a run that this worker has seen itself. A message that waits here while the connection is lost again
 * and again has done no harm, which the broker's count doesn't show.
 */
export class Returns {
  private recent = new Map<string, number>()
  private older: ReadonlyMap<string, number> = new Map()

  /** Notes that the message goes back without having run here. */
  add(id: string): void {
    const unrun = this.unrun(id) + 1
    if (this.recent.size >= REMEMBERED) {
      this.older = this.recent
      this.recent = new Map()
    }
    this.recent.set(id, unrun)
  }

  /** Returns how often the message came back after it may have run. */
  countable(id: string, delivery: Counted): number {
    return Math.max(0, returnsOf(delivery) - this.unrun(id))
  }

  private unrun(id: string): number {
    return this.recent.get(id) ?? this.older.get(id) ?? 0
  }
}
