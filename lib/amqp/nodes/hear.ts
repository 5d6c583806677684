import type { Channel } from 'amqplib'
import type { Listener } from '../../broker/session.js'
import type { AmqpProperties } from '../../protocol/amqp.js'

/**
 * Consumes without acknowledgements.
 * @throws the broker's error, when it refuses; the channel is closed then
 */
export async function hear(channel: Channel, queue: string, listener: Listener): Promise<void> {
  await channel.consume(
    queue,
    (message) => {
      if (!message) {
        listener.onClosed?.(new Error('the broker cancelled the consumer'))
        return
      }
      const properties: AmqpProperties = message.properties
      if (properties.unreadable) listener.onUnreadable(properties.unreadable)
      else listener.onMessage(message.content, properties)
    },
    { noAck: true },
  )
}
