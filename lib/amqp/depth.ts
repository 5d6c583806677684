import type { Channel } from 'amqplib'
import type { QueueDepth } from '../broker/intake.js'
import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import type { Epoch } from './epoch.js'

/** Asks for the depth of queues by passive declare, on a channel of its own: a failing declare closes its channel. */
export class DepthProbe {
  /** Callers in the meantime wait for the same channel. */
  private channel: Promise<Channel> | null = null

  constructor(
    private readonly epoch: Epoch,
    private readonly log: Logger,
  ) {}

  /** The depths of the queues that could be asked; missing queues are left out. Empty once the epoch has ended. */
  async sample(queues: Iterable<string>): Promise<Map<string, QueueDepth>> {
    const depths = new Map<string, QueueDepth>()
    for (const queue of queues) {
      if (this.epoch.ended.aborted) break
      try {
        this.channel ??= this.epoch.scratchChannel()
        const { messageCount, consumerCount } = await (await this.channel).checkQueue(queue)
        depths.set(queue, { ready: messageCount, consumers: consumerCount })
      } catch (thrown) {
        this.channel = null
        if (!this.epoch.ended.aborted)
          this.log.debug(`can't ask for the depth of ${queue}: ${coerceError(thrown).message}`)
      }
    }
    return depths
  }
}
