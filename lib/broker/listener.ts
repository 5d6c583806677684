import type { AmqpProperties } from '../protocol/amqp.js'
import type { BadMessage } from '../protocol/badMessage.js'

/** Receives messages that are not acknowledged: control, events, replies. */
export interface Listener {
  /** Called with each message. */
  onMessage(content: Buffer, properties: AmqpProperties): void
  /** Called when a message was dropped because its properties can't be read. */
  onUnreadable(error: BadMessage): void
  /** Called when nothing more comes, though the session goes on. Without it, the session ends instead. */
  onClosed?(error: Error): void
}
