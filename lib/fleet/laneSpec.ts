import type { QueueSpec } from '../settings/queues.js'
import { laneName } from './laneOf.js'

/**
 * A quorum queue counts hand-overs as deliveries, and drops messages that were delivered too often. This is in effect
 * no limit; RabbitMQ 3.x has no number for that.
 */
const DELIVERY_LIMIT = 1_000_000

/** Returns the declaration of a lane: the broker gives it to one consumer at a time. */
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

/**
 * Returns the queue that the lanes are filled from. If it is created as a quorum queue, it must allow one consumer at a
 * time; a classic queue is consumed exclusively.
 */
export function sourceSpec(queue: QueueSpec): QueueSpec {
  if (queue.arguments['x-queue-type'] !== 'quorum') return queue
  return { ...queue, arguments: { ...queue.arguments, 'x-single-active-consumer': true } }
}
