import type { AmqpProperties } from '../protocol/amqp.js'
import type { BadMessage } from '../protocol/badMessage.js'

/** Who hears messages that are not acknowledged: control, events, replies. */
export interface Listener {
  /** Told of each message. */
  onMessage(content: Buffer, properties: AmqpProperties): void
  /** A message was dropped, since its properties can't be read. */
  onUnreadable(error: BadMessage): void
  /** Nothing more comes, though the session goes on. Without it, the session ends instead. */
  onClosed?(error: Error): void
}
