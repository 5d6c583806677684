import type { Gossip } from '../../control/gossip.js'
import { coerceError } from '../../errors.js'
import type { Logger } from '../../ports.js'
import { decodeEvents } from '../../protocol/event.js'
import type { Epoch } from '../epoch.js'
import { declareEventQueue } from './eventQueue.js'
import { hear } from './hear.js'

/** No event of a worker's comes near this. */
const MOST_BYTES = 1_048_576

/**
 * Where gossip comes in: the events of all workers, on a queue of our own. Made anew with each epoch. Its channel may fail without
 * harm to the rest: then there is no gossip until the next epoch.
 */
export class GossipInlet {
  /** Events that couldn't be read, or were too large to be a worker's. */
  dropped = 0

  constructor(
    private readonly gossip: Gossip,
    private readonly log: Logger,
  ) {}

  /** Never throws for what gossip alone suffers from. */
  async up(epoch: Epoch): Promise<void> {
    const tell = (error: Error): void => {
      this.gossip.down()
      if (!epoch.ended.aborted) this.log.warning(`There is no gossip on this connection: ${error.message}`)
    }
    try {
      const channel = await epoch.scratchChannel(tell)
      const queue = await declareEventQueue(channel, 'worker.#')
      this.gossip.up()
      await hear(channel, queue, {
        onMessage: (content) => this.receive(content),
        onUnreadable: (error) => this.drop(error),
        onCancelled: () => tell(new Error('the broker cancelled the consumer')),
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
