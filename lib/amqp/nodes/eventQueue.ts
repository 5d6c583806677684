import { randomUUID } from 'node:crypto'
import type { Channel } from 'amqplib'
import type { Listener } from '../../broker/session.js'
import { EVENT_EXCHANGE } from '../../protocol/event.js'
import type { Epoch } from '../epoch.js'
import { hear } from './hear.js'

const EXPIRES_MS = 60_000
const MESSAGE_TTL_MS = 5000

/**
 * Listens to events on a queue of its own. A failure of its channel ends the epoch, unless the listener handles it.
 * @throws the broker's error, when it refuses
 */
export async function hearEvents(epoch: Epoch, routingKey: string, listener: Listener): Promise<void> {
  const { onClosed } = listener
  const channel = await (onClosed ? epoch.scratchChannel(onClosed) : epoch.channel())
  await hear(epoch, channel, await declareEventQueue(channel, routingKey), listener)
}

/**
 * Declares an event queue that is deleted with the connection. Mirrors the queue of Celery's `events.Receiver`.
 * @param routingKey of the events to receive: `worker.#`, or `#` for all
 * @returns the queue's name
 * @throws the broker's error, when it refuses; the channel is closed then
 */
async function declareEventQueue(channel: Channel, routingKey: string): Promise<string> {
  await channel.assertExchange(EVENT_EXCHANGE, 'topic', { durable: true })
  const queue = `${EVENT_EXCHANGE}.${randomUUID()}`
  await channel.assertQueue(queue, {
    durable: false,
    exclusive: true,
    autoDelete: true,
    expires: EXPIRES_MS,
    messageTtl: MESSAGE_TTL_MS,
  })
  await channel.bindQueue(queue, EVENT_EXCHANGE, routingKey)
  return queue
}
