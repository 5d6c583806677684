import { BrokerError } from '../errors.js'
import type { QueueSpec } from '../settings/queues.js'

/** Argument of the layout queue that holds the number of lanes. The queue never holds a message. */
const NUMBER = 'x-max-length'

/**
 * Returns the queue that tells, by an argument, how many lanes another queue has: a queue's arguments can't change, and
 * any worker learns them by declaring it. Only the mover replaces it, while nobody else can get a message of the other
 * queue, and only when all lanes are empty.
 */
export function layoutSpec(queue: string, lanes: number): QueueSpec {
  const name = `${queue}.lanes`
  return {
    name,
    durable: true,
    exclusive: false,
    autoDelete: false,
    arguments: { 'x-queue-type': 'classic', [NUMBER]: lanes },
    exchange: { name: '', type: 'direct', durable: true, autoDelete: false },
    routingKey: name,
  }
}

/** Returns the number of lanes from the arguments of the layout queue. @throws BrokerError if there is none */
export function lanesIn(queue: string, args: Readonly<Record<string, unknown>> | null): number {
  const lanes = args?.[NUMBER]
  if (typeof lanes === 'number' && Number.isInteger(lanes) && lanes > 0) return lanes
  throw new BrokerError(
    `could not determine the number of lanes from the arguments of queue ${layoutSpec(queue, 1).name}`,
  )
}
