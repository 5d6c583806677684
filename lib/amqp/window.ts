import type { Channel, ConsumeMessage } from 'amqplib'
import { coerceError } from '../errors.js'
import type { Delivery, Logger } from '../ports.js'
import { blockSize } from './block.js'
import { AmqpDelivery, type DeliveryChannel } from './delivery.js'
import type { Epoch } from './epoch.js'

/** One basic.consume on the task channel. */
interface Consumer {
  readonly tag: string
  readonly queue: string
  /** Its prefetch: the most messages that it may hold unsettled; 0 for no limit. */
  readonly size: number
  unsettled: number
  state: 'opening' | 'open' | 'cancelling'
}

export interface WindowOptions {
  readonly epoch: Epoch
  /** Messages that a slot may hold unsettled, and a consumer of a small window (basic.qos); 0 means no limit, and one consumer a queue. */
  readonly prefetch: number
  /** Queues whose order breaks when consumers come and go (ordered quorum queues) -> the prefetch of their single consumer. */
  readonly fixed: ReadonlyMap<string, number>
  /** Queues that another worker gets as soon as our consumers are gone: at the end they are kept until the channel closes. */
  readonly singleActive?: ReadonlySet<string>
  readonly log: Logger
  /** Numbers deliveries over all epochs. */
  nextSequence(): number
  /** Called in the order in which the messages arrive. */
  onDelivery(delivery: Delivery): void
  /** Declares a queue again after the broker cancelled its consumers. */
  declare(queue: string): Promise<void>
}

/**
 * The consumers open on the one task channel of an epoch: all on one channel because only then does RabbitMQ keep a queue's
 * order, and many with a small prefetch because a running consumer's prefetch can't be changed. It grows by basic.consume
 * and shrinks by basic.cancel, of an idle consumer at once, of a busy one just before the ack that would free it. A window of
 * blocks may for a while be too large by less than one block.
 */
export class Window implements DeliveryChannel {
  private readonly consumers = new Map<string, Consumer>()
  /** By queue, without the consumers that are being cancelled: how many there are, and how many messages they may hold. */
  private readonly counts = new Map<string, number>()
  private readonly sizes = new Map<string, number>()
  /** The prefetch that the channel gives to the next consumer. */
  private prefetch = 0
  private readonly resubscribing = new Set<string>()
  /** Cancellations under way that a message waits for to be settled. */
  private readonly awaited = new Set<Promise<void>>()
  private wanted: ReadonlyMap<string, number> = new Map()
  private tags = 0
  private reconciling: Promise<void> | null = null
  private closed = false

  private constructor(
    readonly channel: Channel,
    private readonly options: WindowOptions,
  ) {}

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
    return this.counts.get(queue) ?? 0
  }

  get size(): number {
    return this.consumers.size
  }

  /** Says how many messages may be unsettled for each queue; the consumers follow. A queue that isn't named loses all of its own. */
  resize(capacity: ReadonlyMap<string, number>): void {
    if (this.closed) return
    const { prefetch, fixed } = this.options
    const wanted = new Map<string, number>()
    for (const [queue, messages] of capacity) {
      // Of one consumer without a limit, one message stands for all.
      wanted.set(queue, prefetch === 0 ? Math.min(messages, 1) : messages > 0 ? (fixed.get(queue) ?? messages) : 0)
    }
    this.wanted = wanted
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
    this.wanted = new Map([...this.sizes].filter(([queue]) => this.options.singleActive?.has(queue)))
    this.reconcile()
    await this.settled()
    // The channel's end would overtake them, and what waits to be acknowledged would be delivered again.
    while (this.awaited.size > 0) await Promise.all(this.awaited)
  }

  keeps({ queue }: AmqpDelivery): boolean {
    return this.closed && this.options.singleActive?.has(queue) === true
  }

  settling(delivery: AmqpDelivery): Promise<void> | null {
    const consumer = this.consumers.get(delivery.consumerTag)
    if (!consumer) return null
    consumer.unsettled--
    if (consumer.state !== 'open') return null
    const surplus = this.surplus(consumer.queue)
    if (surplus >= weight(consumer)) return this.cancelFirst(consumer)
    // Once it is idle it can be exchanged for a smaller one.
    if (surplus > 0 && consumer.unsettled === 0) this.reconcile()
    return null
  }

  private cancelFirst(consumer: Consumer): Promise<void> {
    const cancelled = this.cancel(consumer).finally(() => this.awaited.delete(cancelled))
    this.awaited.add(cancelled)
    return cancelled
  }

  /** Messages that the consumers of a queue may hold beyond what is wanted; negative for what is missing. */
  private surplus(queue: string): number {
    return (this.sizes.get(queue) ?? 0) - (this.wanted.get(queue) ?? 0)
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
    for (let change = this.nextChange(); change && !this.epoch.ended.aborted; change = this.nextChange()) await change()
  }

  private nextChange(): (() => Promise<void>) | null {
    for (const queue of this.wanted.keys()) {
      if (this.closed || this.resubscribing.has(queue)) continue
      if (this.surplus(queue) < 0) return () => this.consume(queue, -this.surplus(queue))
    }
    // Looked through only when there is one to find: this is asked each time a message is parked, of up to thousands.
    if (![...this.sizes.keys()].some((queue) => this.surplus(queue) > 0)) return null
    let larger: Consumer | null = null
    for (const consumer of this.consumers.values()) {
      const surplus = this.surplus(consumer.queue)
      if (consumer.state !== 'open' || surplus <= 0) continue
      if (this.closed || !this.wanted.has(consumer.queue)) return () => this.cancel(consumer)
      if (consumer.unsettled > 0) continue
      if (weight(consumer) <= surplus) return () => this.cancel(consumer)
      larger ??= consumer
    }
    // What it leaves missing is opened next.
    return larger && (() => this.cancel(larger))
  }

  private async consume(queue: string, missing: number): Promise<void> {
    const { fixed, prefetch } = this.options
    const block = blockSize(this.wanted.get(queue) ?? 0, Math.max(1, prefetch))
    const size = prefetch === 0 ? 0 : (fixed.get(queue) ?? Math.min(missing, block))
    const consumer: Consumer = { tag: `celeriac${++this.tags}`, queue, size, unsettled: 0, state: 'opening' }
    this.consumers.set(consumer.tag, consumer)
    this.enlist(consumer, 1)
    if (size !== this.prefetch) await this.channel.prefetch(size, false)
    this.prefetch = size
    await this.channel.consume(queue, (message) => this.receive(consumer, message), { consumerTag: consumer.tag })
    if (consumer.state === 'opening') consumer.state = 'open'
  }

  private enlist(consumer: Consumer, by: 1 | -1): void {
    const { queue } = consumer
    this.counts.set(queue, this.count(queue) + by)
    this.sizes.set(queue, (this.sizes.get(queue) ?? 0) + by * weight(consumer))
  }

  private async cancel(consumer: Consumer): Promise<void> {
    this.retire(consumer)
    try {
      await this.channel.cancel(consumer.tag)
    } catch (thrown) {
      if (!this.epoch.ended.aborted) this.epoch.end(thrown)
    }
    this.consumers.delete(consumer.tag)
  }

  private retire(consumer: Consumer): void {
    if (consumer.state === 'cancelling') return
    consumer.state = 'cancelling'
    this.enlist(consumer, -1)
  }

  private receive(consumer: Consumer, message: ConsumeMessage | null): void {
    if (message === null) {
      this.cancelledByBroker(consumer)
      return
    }
    consumer.unsettled++
    this.options.onDelivery(new AmqpDelivery(this.options.nextSequence(), consumer.queue, message, this))
  }

  /** The queue was deleted, or its node went away: declare it again and subscribe again, without touching the other queues. */
  private cancelledByBroker(consumer: Consumer): void {
    const { queue } = consumer
    const expected = this.closed || consumer.state === 'cancelling'
    this.retire(consumer)
    this.consumers.delete(consumer.tag)
    if (expected || this.resubscribing.has(queue)) return
    this.log.warning(`The broker cancelled the consumers of ${queue}. Subscribing again...`)
    this.resubscribing.add(queue)
    this.options
      .declare(queue)
      .then(() => {
        this.resubscribing.delete(queue)
        this.reconcile()
      })
      .catch((thrown) => this.epoch.end(coerceError(thrown)))
  }
}

/** What a consumer counts for in its queue's window. */
function weight({ size }: Consumer): number {
  return Math.max(1, size)
}
