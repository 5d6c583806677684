import type { QueueSpec } from '../settings/queues.js'
import { laneName } from './laneOf.js'

/** Hand-overs count as deliveries in a quorum queue, which drops what was delivered too often: as good as no limit, which 3.x has no number for. */
const DELIVERY_LIMIT = 1_000_000

/** A lane as it is declared: the broker gives it to one consumer at a time. */
export function laneSpec(queue: string, lane: number, type: 'classic' | 'quorum'): QueueSpec {
  const name = laneName(queue, lane)
  return {
    name,
    durable: true,
    exclusive: false,
    autoDelete: false,
    arguments: {
      'x-queue-type': type,
      'x-single-active-consumer': true,
      ...(type === 'quorum' ? { 'x-delivery-limit': DELIVERY_LIMIT } : {}),
    },
    exchange: { name: '', type: 'direct', durable: true, autoDelete: false },
    routingKey: name,
  }
}

/** The queue that the lanes are filled from. One that is made as a quorum queue has to let in one consumer at a time; a classic one is consumed exclusively. */
export function sourceSpec(queue: QueueSpec): QueueSpec {
  if (queue.arguments['x-queue-type'] !== 'quorum') return queue
  return { ...queue, arguments: { ...queue.arguments, 'x-single-active-consumer': true } }
}
