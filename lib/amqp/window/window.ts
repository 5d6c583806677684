import type { Channel, ConsumeMessage } from 'amqplib'
import type { QueueRefused } from '../../broker/intake.js'
import { coerceError } from '../../errors.js'
import type { Delivery, Logger } from '../../ports.js'
import { repr } from '../../protocol/repr.js'
import type { Epoch } from '../epoch.js'
import { refusalOf } from '../refusal.js'
import { Cancellations } from './cancellations.js'
import { AmqpDelivery, type DeliveryChannel } from './delivery.js'
import { type Change, type Consumer, Subscriptions, type SubscriptionsOptions } from './subscriptions.js'

export interface WindowOptions extends SubscriptionsOptions {
  readonly epoch: Epoch
  /** Queues that another worker gets as soon as our consumers are gone: at the end they are kept until the channel closes. */
  readonly singleActive?: ReadonlySet<string>
  /** Queues that are known to be quorum queues. */
  readonly quorum?: ReadonlySet<string>
  readonly log: Logger
  /** Numbers deliveries over all epochs. */
  nextSequence(): number
  /** Called in the order in which the messages arrive. */
  onDelivery(delivery: Delivery): void
  /** The broker doesn't let us consume from a queue; that has closed the channel, and ends the epoch. */
  onRefused?(queue: string, refusal: QueueRefused): void
  /** Declares a queue again after the broker cancelled its consumers. */
  declare(queue: string): Promise<void>
}

/**
 * The consumers open on the one task channel of an epoch: all on one channel because only then does RabbitMQ keep a queue's
 * order, and many with a small prefetch because a running consumer's prefetch can't be changed. It grows by basic.consume
 * and shrinks by basic.cancel, of an idle consumer at once, of a busy one just before the ack that would free it. A window of
 * blocks that are all busy may be too large by half a block.
 */
export class Window implements DeliveryChannel {
  private readonly subscriptions: Subscriptions
  /** The prefetch that the channel gives to the next consumer. */
  private prefetch = 0
  private readonly cancellations: Cancellations
  /** Cancellations under way that a message waits for to be settled. */
  private readonly awaited = new Set<Promise<void>>()
  /** One consumer that is larger than usual may be exchanged. */
  private evening = false
  private reconciling: Promise<void> | null = null
  private closed = false

  private constructor(
    readonly channel: Channel,
    private readonly options: WindowOptions,
  ) {
    this.subscriptions = new Subscriptions(options)
    this.cancellations = new Cancellations(options)
  }

  static async open(options: WindowOptions): Promise<Window> {
    const channel = await options.epoch.channel()
    channel.on('close', () => options.epoch.end(new Error('the task channel was closed')))
    return new Window(channel, options)
  }

  get epoch(): Epoch {
    return this.options.epoch
  }
  get log(): Logger {
    return this.options.log
  }

  /** How many consumers are open for each queue. */
  count(queue: string): number {
    return this.subscriptions.count(queue)
  }

  get size(): number {
    return this.subscriptions.size
  }

  /**
   * Says how many messages may be unsettled for each queue; the consumers follow. A queue that isn't named loses all of its own.
   * @param inHurry whether it may grow by one large consumer instead of many small ones: each costs a round trip to a broker that is busy
   *   with the very burst for which the window grows. Not where others consume, too: they judge our slots by our consumers
   */
  resize(capacity: ReadonlyMap<string, number>, inHurry = false): void {
    if (this.closed) return
    this.subscriptions.want(capacity, inHurry)
    this.reconcile()
  }

  /** Exchanges one consumer, if any is larger than those of such a window usually are: it was opened in a hurry. */
  even(): void {
    this.evening = true
    this.reconcile()
  }

  /** Resolves once the consumers are as many as they were last told to be. */
  async settled(): Promise<void> {
    while (this.reconciling) await this.reconciling
  }

  /**
   * Cancels every consumer. What was delivered stays deliverable: it can still be settled. The consumers of single active queues stay,
   * and keep what they are given: their queue is handed over when the channel closes, by when nothing of it runs here any more.
   */
  async close(): Promise<void> {
    this.closed = true
    this.subscriptions.keepOnly(this.options.singleActive ?? new Set())
    this.reconcile()
    await this.settled()
    // The channel's end would overtake them, and what waits to be acknowledged would be delivered again.
    while (this.awaited.size > 0) await Promise.all(this.awaited)
  }

  isQuorum(queue: string): boolean {
    return this.options.quorum?.has(queue) === true
  }

  keeps({ queue }: AmqpDelivery): boolean {
    return this.closed && this.options.singleActive?.has(queue) === true
  }

  settling(delivery: AmqpDelivery): Promise<void> | null {
    const { subscriptions } = this
    const consumer = subscriptions.get(delivery.consumerTag)
    if (!consumer) return this.cancellations.doubtOf(delivery.queue)
    consumer.unsettled--
    if (consumer.state !== 'open') return null
    if (subscriptions.isLeaving(consumer)) return this.cancelFirst(consumer)
    // Once it is idle it can be exchanged for a smaller one.
    if (subscriptions.isExchangeable(consumer)) this.reconcile()
    return null
  }

  private cancelFirst(consumer: Consumer): Promise<void> {
    const cancelled = this.cancel(consumer).finally(() => this.awaited.delete(cancelled))
    this.awaited.add(cancelled)
    return cancelled
  }

  private reconcile(): void {
    this.reconciling ??= this.converge()
      .catch((thrown) => {
        if (!this.epoch.ended.aborted) this.epoch.end(thrown)
      })
      .finally(() => {
        this.reconciling = null
        // A wish that came after the last look, and before this line.
        if (!this.epoch.ended.aborted && this.nextChange()) this.reconcile()
      })
  }

  /** One change at a time, and what is wanted is read anew after each: a wish that has passed by then costs nothing. */
  private async converge(): Promise<void> {
    // Changes of one turn of the event loop are taken together.
    await new Promise(setImmediate)
    for (let change = this.nextChange(); change && !this.epoch.ended.aborted; change = this.nextChange())
      await ('open' in change ? this.consume(change) : this.cancel(change.cancel))
    this.evening = false
  }

  private nextChange(): Change | null {
    const change = this.subscriptions.next(this.cancellations.paused, this.closed)
    if (change || !this.evening || this.closed) return change
    const consumer = this.subscriptions.oversized()
    return consumer && { cancel: consumer }
  }

  private async consume(change: { readonly open: string; readonly size: number }): Promise<void> {
    const { channel, subscriptions } = this
    const consumer = subscriptions.add(change)
    const { queue, size, tag } = consumer
    if (size !== this.prefetch) await channel.prefetch(size, false)
    this.prefetch = size
    await channel
      .consume(queue, (message) => this.receive(consumer, message), { consumerTag: tag })
      .catch((thrown) => {
        const refusal = refusalOf(thrown, this.epoch)
        if (refusal) this.options.onRefused?.(queue, refusal)
        throw thrown
      })
    if (consumer.state === 'opening') consumer.state = 'open'
  }

  private async cancel(consumer: Consumer): Promise<void> {
    this.subscriptions.retire(consumer)
    this.evening = false
    try {
      await this.channel.cancel(consumer.tag)
    } catch (thrown) {
      if (!this.epoch.ended.aborted) this.epoch.end(thrown)
    }
    this.subscriptions.remove(consumer)
  }

  private receive(consumer: Consumer, message: ConsumeMessage | null): void {
    if (message === null) {
      this.cancelledByBroker(consumer)
      return
    }
    consumer.unsettled++
    const delivery = new AmqpDelivery(this.options.nextSequence(), consumer.queue, message, this)
    try {
      this.options.onDelivery(delivery)
    } catch (thrown) {
      // amqplib would close the channel, and the next delivery of this message the next channel.
      this.log.critical(`A message of ${consumer.queue} was rejected: INTERNAL ERROR: ${repr(coerceError(thrown))}`)
      delivery.reject()
    }
  }

  private cancelledByBroker(consumer: Consumer): void {
    const { queue, unsettled } = consumer
    const expected = this.closed || consumer.state === 'cancelling'
    this.subscriptions.remove(consumer)
    if (expected) return
    void this.cancellations.add(queue, unsettled).then((goesOn) => {
      if (goesOn) this.reconcile()
    })
  }
}
