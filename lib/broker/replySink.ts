import type { OutgoingMessage } from '../protocol/amqp.js'

/**
 * Sends the replies of remote control, each once and unconfirmed. The sender of a command chooses where the reply goes,
 * and the broker's refusal of that place must not delay results and retries. A reply that can't be sent is dropped: the
 * caller can ask again.
 */
export interface ReplySink {
  /** Replies that were dropped. */
  readonly dropped: number
  /** Never throws. @param signal aborted when it is too late for the reply */
  send(message: OutgoingMessage, signal: AbortSignal): Promise<void>
}
