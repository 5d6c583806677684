import type { Channel, ConsumeMessage } from 'amqplib'
import { coerceError } from '../errors.js'
import type { Delivery, Logger } from '../ports.js'
import { AmqpDelivery, type DeliveryChannel } from './delivery.js'
import type { Epoch } from './epoch.js'

/** One basic.consume on the task channel. */
interface Consumer {
  readonly tag: string
  readonly queue: string
  unsettled: number
  state: 'opening' | 'open' | 'cancelling'
}

export interface WindowOptions {
  readonly epoch: Epoch
  /** Messages that one consumer may hold unsettled (basic.qos); 0 means no limit, and one consumer a queue. */
  readonly prefetch: number
  /** Queues whose order breaks when consumers come and go (ordered quorum queues) -> the prefetch of their single consumer. */
  readonly fixed: ReadonlyMap<string, number>
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
 * and shrinks by basic.cancel, of an idle consumer at once, of a busy one just before the ack that would free it.
 */
export class Window implements DeliveryChannel {
  private readonly consumers = new Map<string, Consumer>()
  private readonly resubscribing = new Set<string>()
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
    await channel.prefetch(options.prefetch, false)
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
    let count = 0
    for (const consumer of this.consumers.values())
      if (consumer.queue === queue && consumer.state !== 'cancelling') count++
    return count
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
      const single = prefetch === 0 || fixed.has(queue)
      wanted.set(queue, single ? 1 : Math.ceil(messages / prefetch))
    }
    this.wanted = wanted
    this.reconcile()
  }

  /** Resolves once the consumers are as many as they were last told to be. */
  async settled(): Promise<void> {
    while (this.reconciling) await this.reconciling
  }

  /** Cancels every consumer. What was delivered stays deliverable: it can still be settled. */
  async close(): Promise<void> {
    this.closed = true
    this.wanted = new Map()
    this.reconcile()
    await this.settled()
  }

  settling(delivery: AmqpDelivery): Promise<void> | null {
    const consumer = this.consumers.get(delivery.consumerTag)
    if (!consumer) return null
    consumer.unsettled--
    if (consumer.state !== 'open' || consumer.unsettled > 0 || this.surplus(consumer.queue) <= 0) return null
    return this.cancel(consumer)
  }

  private surplus(queue: string): number {
    return this.count(queue) - (this.wanted.get(queue) ?? 0)
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
    for (const [queue, wanted] of this.wanted) {
      if (this.resubscribing.has(queue)) continue
      if (this.count(queue) < wanted) return () => this.consume(queue)
    }
    for (const consumer of this.consumers.values()) {
      if (consumer.state !== 'open' || this.surplus(consumer.queue) <= 0) continue
      if (consumer.unsettled === 0 || this.closed || !this.wanted.has(consumer.queue))
        return () => this.cancel(consumer)
    }
    return null
  }

  private async consume(queue: string): Promise<void> {
    const consumer: Consumer = { tag: `celeriac${++this.tags}`, queue, unsettled: 0, state: 'opening' }
    this.consumers.set(consumer.tag, consumer)
    const fixed = this.options.fixed.get(queue)
    if (fixed !== undefined) await this.channel.prefetch(fixed, false)
    await this.channel.consume(queue, (message) => this.receive(consumer, message), { consumerTag: consumer.tag })
    if (fixed !== undefined) await this.channel.prefetch(this.options.prefetch, false)
    if (consumer.state === 'opening') consumer.state = 'open'
  }

  private async cancel(consumer: Consumer): Promise<void> {
    consumer.state = 'cancelling'
    try {
      await this.channel.cancel(consumer.tag)
    } catch (thrown) {
      if (!this.epoch.ended.aborted) this.epoch.end(thrown)
    }
    this.consumers.delete(consumer.tag)
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
    this.consumers.delete(consumer.tag)
    if (this.closed || consumer.state === 'cancelling' || this.resubscribing.has(queue)) return
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
