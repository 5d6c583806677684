import type { ConsumedQueue } from '../../lib/amqp/queueKind.js'

/** How a queue is consumed: as a classic one, but for what is said. */
export function consumedQueue(facts: Partial<ConsumedQueue> = {}): ConsumedQueue {
  return { type: 'classic', singleActive: false, fixed: null, breaksOrder: false, ...facts }
}
