import type { QueueSpec } from '../settings/queues.js'
import { closeChannel } from './closeChannel.js'
import type { Epoch } from './epoch.js'

/**
 * Adds one empty message to a queue, which it declares, and waits until the broker has it. @returns how many there were
 * before
 */
export async function countUp(epoch: Epoch, { arguments: args, name, ...kind }: QueueSpec): Promise<number> {
  let failure: Error | null = null
  const channel = await epoch.confirmChannel((error) => {
    failure = error
  })
  try {
    const { autoDelete, durable, exclusive } = kind
    const { messageCount } = await channel.assertQueue(name, { durable, exclusive, autoDelete, arguments: args })
    channel.publish('', name, Buffer.alloc(0), { persistent: true })
    await channel.waitForConfirms()
    return messageCount
  } finally {
    if (!failure && !epoch.ended.aborted) await closeChannel(channel)
  }
}
