import type { Listener } from '../../broker/session.js'
import type { Epoch } from '../epoch.js'
import { hear } from './hear.js'

const MESSAGE_TTL_MS = 60_000

/**
 * Hears what the members of a group say to all of them, on an exclusive queue. Its channel's failure is the epoch's.
 * @throws the broker's error, when it refuses
 */
export async function hearGroup(epoch: Epoch, exchange: string, queue: string, listener: Listener): Promise<void> {
  await epoch.scratch(async (channel) => {
    // It stays: a member that is late with what it says must not lose its channel over an exchange that isn't there.
    await channel.assertExchange(exchange, 'fanout', { durable: true })
    await channel.assertQueue(queue, { durable: false, exclusive: true, messageTtl: MESSAGE_TTL_MS })
    await channel.bindQueue(queue, exchange, '')
  })
  await hear(epoch, await epoch.channel(), queue, listener)
}
