import type { PublishTries } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import { delayed } from '../protocol/delay.js'
import type { QueueSpec } from '../settings/queues.js'
import type { DelayQueues } from './delayed.js'
import type { Epoch } from './epoch.js'
import type { AmqpPublisher } from './publisher.js'

/** Publishes messages that are due much later through the delay queues of the broker. */
export class Postponer {
  constructor(
    private readonly publisher: AmqpPublisher,
    private readonly delays: DelayQueues,
  ) {}

  /** @see Broker.postpone. A queue whose name is too long can't be reached this way. */
  async postpone(
    message: OutgoingMessage,
    queue: string,
    delayMs: number,
    { bindTo, signal, tries }: { bindTo?: QueueSpec; signal?: AbortSignal; tries?: PublishTries } = {},
  ): Promise<boolean> {
    const later = delayed(message, queue, delayMs)
    if (!later) return false
    const declare = async (epoch: Epoch): Promise<void> => {
      await this.delays.declare(epoch)
      if (bindTo) await this.delays.bind(epoch, bindTo)
    }
    await this.publisher.onEpoch(declare, signal, tries)
    await this.publisher.publish(later, signal, tries)
    return true
  }
}
