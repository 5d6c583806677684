import type { OutgoingMessage } from '../protocol/amqp.js'

/**
 * Sends the replies of remote control, each once and unconfirmed. Where a reply is to go to is up to whoever asked, and what the broker
 * has against that place must not hold up results and retries. A reply that can't be sent is dropped: whoever misses it asks again.
 */
export interface ReplySink {
  /** Replies that were dropped. */
  readonly dropped: number
  /** Never throws. @param signal aborted when it is too late for it */
  send(message: OutgoingMessage, signal: AbortSignal): Promise<void>
}
