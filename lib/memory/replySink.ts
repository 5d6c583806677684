import type { ReplySink } from '../broker/replySink.js'
import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import type { MemoryServer } from './server.js'

/** Sends replies of remote control to the callers in this process. */
export class MemoryReplySink implements ReplySink {
  dropped = 0

  constructor(
    private readonly server: MemoryServer,
    private readonly log: Logger,
  ) {}

  async send(message: OutgoingMessage, signal: AbortSignal): Promise<void> {
    try {
      signal.throwIfAborted()
      this.server.publish(message)
    } catch (thrown) {
      this.dropped++
      this.log.warning(`pidbox: a reply was dropped: ${coerceError(thrown).message}`)
    }
  }
}
