import type { OutgoingMessage } from '../protocol/amqp.js'
import { delayed } from '../protocol/delay.js'
import type { QueueSpec } from '../settings/queues.js'
import type { DelayQueues } from './delayed.js'
import type { AmqpPublisher } from './publisher.js'

/** Publishes what is due far ahead through the delay queues of the broker. */
export class Postponer {
  constructor(
    private readonly publisher: AmqpPublisher,
    private readonly delays: DelayQueues,
  ) {}

  /**
   * Resolves once the broker has the message, which comes to the queue when it is due.
   * @param bindTo the queue, when no worker may have bound it to the delay queues yet
   * @returns false if it can't go this way (its queue's name is too long): publish it as usual
   * @throws BrokerError as `Publisher.publish`
   */
  async postpone(
    message: OutgoingMessage,
    queue: string,
    delayMs: number,
    { bindTo, signal }: { bindTo?: QueueSpec; signal?: AbortSignal } = {},
  ): Promise<boolean> {
    const later = delayed(message, queue, delayMs)
    if (!later) return false
    const epoch = await this.publisher.epoch(signal)
    await this.delays.declare(epoch)
    if (bindTo) await this.delays.bind(epoch, bindTo)
    await this.publisher.publish(later, signal)
    return true
  }
}
