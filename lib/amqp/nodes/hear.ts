import type { Channel } from 'amqplib'
import type { AmqpProperties } from '../../protocol/amqp.js'
import type { BadMessage } from '../../protocol/badMessage.js'

/** What becomes of the messages of a queue that are not acknowledged: control, events, replies. */
export interface Listener {
  onMessage(content: Buffer, properties: AmqpProperties): void
  /** A message was dropped, since its headers can't be read. */
  onUnreadable(error: BadMessage): void
  /** The broker has cancelled the consumer: nothing more comes. */
  onCancelled?(): void
}

/**
 * Consumes without acknowledgements.
 * @throws the broker's error, when it refuses; the channel is closed then
 */
export async function hear(channel: Channel, queue: string, listener: Listener): Promise<void> {
  await channel.consume(
    queue,
    (message) => {
      if (!message) {
        listener.onCancelled?.()
        return
      }
      const properties: AmqpProperties = message.properties
      if (properties.unreadable) listener.onUnreadable(properties.unreadable)
      else listener.onMessage(message.content, properties)
    },
    { noAck: true },
  )
}
