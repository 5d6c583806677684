import type { Clock, PublishTries } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import { delayed } from '../protocol/delay.js'
import type { QueueSpec } from '../settings/queues.js'
import type { DelayQueues } from './delayed.js'
import type { Epoch } from './epoch.js'
import type { AmqpPublisher } from './publisher.js'

/** Publishes messages that are due much later through the delay queues of the broker. */
export class Postponer {
  constructor(
    private readonly publisher: Pick<AmqpPublisher, 'onEpoch' | 'publish'>,
    private readonly delays: DelayQueues,
    private readonly clock: Clock,
  ) {}

  /** @see Broker.postpone. A queue whose name is too long can't be reached this way. */
  async postpone(
    message: OutgoingMessage,
    queue: string,
    delayMs: number,
    { bindTo, signal, tries }: { bindTo?: QueueSpec; signal?: AbortSignal; tries?: PublishTries } = {},
  ): Promise<boolean> {
    const { clock } = this
    if (!delayed(message, queue, delayMs)) return false
    const askedAt = clock.monotonic()
    const declare = async (epoch: Epoch): Promise<void> => {
      await this.delays.declare(epoch)
      if (bindTo) await this.delays.bind(epoch, bindTo)
    }
    const isLastWord = signal?.aborted
    await this.publisher.onEpoch(declare, signal, tries)
    // A broker that has blocked the connection may answer when nobody waits for it any more.
    if (!isLastWord) signal?.throwIfAborted()
    // The broker may have been away for long, and would keep the message beyond its time. Whole seconds, as of the delay
    // itself: it must not come too early either.
    const waitedMs = Math.floor((clock.monotonic() - askedAt) / 1000) * 1000
    const later = delayed(message, queue, delayMs - waitedMs)
    await this.publisher.publish(later ?? message, signal, tries)
    return true
  }
}
