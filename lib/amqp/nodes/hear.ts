import type { Channel } from 'amqplib'
import type { Listener } from '../../broker/session.js'
import { BrokerError } from '../../errors.js'
import type { AmqpProperties } from '../../protocol/amqp.js'
import type { Epoch } from '../epoch.js'

/**
 * Consumes without acknowledgements. When the broker cancels that, such as for a queue that is deleted, the epoch ends, unless the listener
 * wants to hear of it.
 * @throws the broker's error, when it refuses; the channel is closed then
 */
export async function hear(epoch: Epoch, channel: Channel, queue: string, listener: Listener): Promise<void> {
  await channel.consume(
    queue,
    (message) => {
      if (!message) {
        const gone = new BrokerError(`the broker cancelled the consumer of ${queue}`)
        if (listener.onClosed) listener.onClosed(gone)
        else epoch.end(gone)
        return
      }
      const properties: AmqpProperties = message.properties
      if (properties.unreadable) listener.onUnreadable(properties.unreadable)
      else listener.onMessage(message.content, properties)
    },
    { noAck: true },
  )
}
