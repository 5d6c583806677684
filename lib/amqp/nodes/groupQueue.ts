import type { Listener } from '../../broker/session.js'
import type { Epoch } from '../epoch.js'
import { hear } from './hear.js'

const MESSAGE_TTL_MS = 60_000

/**
 * Listens, on an exclusive queue, to the messages that members of a group send to all. A failure of its channel ends
 * the epoch.
 * @throws the broker's error, when it refuses
 */
export async function hearGroup(epoch: Epoch, exchange: string, queue: string, listener: Listener): Promise<void> {
  await epoch.scratch(async (channel) => {
    // The exchange is kept: a member that publishes late must not lose its channel because the exchange is missing.
    await channel.assertExchange(exchange, 'fanout', { durable: true })
    await channel.assertQueue(queue, { durable: false, exclusive: true, messageTtl: MESSAGE_TTL_MS })
    await channel.bindQueue(queue, exchange, '')
  })
  await hear(epoch, await epoch.channel(), queue, listener)
}
