import type { Session } from '../broker/session.js'
import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import { decodeEvents } from '../protocol/event.js'
import type { Gossip } from './gossip.js'

/** Far above the size of any event of a worker. */
const MOST_BYTES = 1_048_576

/**
 * Receives the events of all workers, for gossip, on a queue of its own. Opened again for each session. A failure
 * affects nothing else: then there is no gossip until the next session.
 */
export class GossipInlet {
  /** Events that couldn't be read, or were too large to be a worker's. */
  dropped = 0

  constructor(
    private readonly gossip: Gossip,
    private readonly log: Logger,
  ) {}

  /** Never throws for errors that affect only gossip. */
  async up(session: Session): Promise<void> {
    const tell = (error: Error): void => {
      this.gossip.down()
      if (!session.ended.aborted) this.log.warning(`Gossip is off until the next connection: ${error.message}`)
    }
    this.gossip.up()
    try {
      await session.hearEvents('worker.#', {
        onMessage: (content) => this.receive(content),
        onUnreadable: (error) => this.drop(error),
        onClosed: tell,
      })
    } catch (thrown) {
      tell(coerceError(thrown))
    }
  }

  down(): void {
    this.gossip.down()
  }

  private receive(content: Buffer): void {
    try {
      if (content.length > MOST_BYTES)
        throw new Error(`it has ${content.length} bytes, and no worker's has over ${MOST_BYTES}`)
      for (const event of decodeEvents(content)) this.gossip.receive(event)
    } catch (thrown) {
      this.drop(thrown)
    }
  }

  private drop(thrown: unknown): void {
    this.dropped++
    this.log.debug(`gossip: an event was dropped: ${coerceError(thrown).message}`)
  }
}
