import type { Channel, ConsumeMessage } from 'amqplib'
import { BrokerError, coerceError } from '../../errors.js'
import type { Logger } from '../../ports.js'
import { closeChannel } from '../closeChannel.js'
import type { Epoch } from '../epoch.js'
import { isNoQueue } from '../refusal.js'
import type { AmqpDelivery, DeliveryChannel, Settlement } from './delivery.js'
import { type Fate, Held } from './held.js'
import { beforeSettling, type QueueWindow, type Step, type Subscription } from './plan.js'
import { Settlements } from './settlements.js'
import { Subscriptions, type SubscriptionsOptions } from './subscriptions.js'

export interface QueueChannelOptions extends SubscriptionsOptions {
  readonly queue: string
  readonly epoch: Epoch
  readonly log: Logger
  isQuorum(): boolean
  keeps(): boolean
  onMessage(message: ConsumeMessage, channel: QueueChannel): void
  /**
   * Called when a new step may be possible: a consumer is idle, or the last message of an unneeded channel is being
   * settled.
   */
  onChange(): void
  /**
   * Called when the broker has cancelled a consumer, or closed the channel, with the reason. Nothing arrives through it
   * any more.
   */
  onEnd(channel: QueueChannel, error: Error | null): void
}

/** amqplib keeps this private. */
interface Registry {
  registerConsumer(tag: string, onMessage: (message: ConsumeMessage) => void): void
}

/**
 * The consumers of one queue, all on one channel because only then does RabbitMQ keep the queue's order. Each queue has
 * its own channel, because the broker closes the channel on which it refuses something, and takes back all that was
 * delivered on it. The window decides when to make a change; this makes one at a time.
 */
export class QueueChannel implements DeliveryChannel {
  private readonly subscriptions: Subscriptions
  private channel: Channel | null = null
  /** The prefetch that the channel gives to the next consumer. */
  private prefetch = 0
  private readonly messages: Held
  private readonly settlements: Settlements
  private everOpen = false
  private over = false

  constructor(private readonly options: QueueChannelOptions) {
    this.subscriptions = new Subscriptions(options)
    this.messages = new Held(options.epoch.ended)
    this.settlements = new Settlements(options.epoch, () => (this.fate === 'held' ? this.channel : null))
  }

  get queue(): string {
    return this.options.queue
  }
  get log(): Logger {
    return this.options.log
  }
  get isQuorum(): boolean {
    return this.options.isQuorum()
  }
  get keeps(): boolean {
    return this.options.keeps()
  }
  get fate(): Fate {
    return this.messages.fate
  }

  /** The number of open consumers. */
  get count(): number {
    return this.over ? 0 : this.subscriptions.count
  }

  /** Messages that arrived and whose settlement isn't written. */
  get held(): number {
    return this.messages.count
  }

  /** Whether the queue was ever consumed through this channel. */
  get wasOpen(): boolean {
    return this.everOpen
  }

  /** Whether the channel is of no use any more. */
  get isSpent(): boolean {
    return this.subscriptions.isOver && this.held === 0 && !this.over
  }

  /** The state from which the next step is planned; null if there is to be none. */
  get window(): QueueWindow | null {
    return this.over || this.keeps ? null : this.subscriptions
  }

  /** @see Subscriptions.want */
  want(messages: number | null, alone = false): void {
    this.subscriptions.want(messages, alone)
  }

  /** Makes a step. @throws what ended the connection meanwhile; what has ended this channel goes to `onEnd` */
  async make(step: Step): Promise<void> {
    if ('open' in step) await this.consume(step.open)
    else await this.cancel('cancel' in step ? step.cancel : step.exchange)
  }

  /** Resolves once every settlement that waited for a cancellation is written. */
  written(): Promise<void> {
    return this.messages.written()
  }

  /** Closes the channel, which returns unsettled messages to a queue that exists, at once and in order. */
  async close(fate: Fate): Promise<void> {
    this.options.epoch.acks.write()
    this.over = true
    this.messages.become(fate)
    const { channel } = this
    this.channel = null
    if (!channel) return
    await closeChannel(channel).catch((thrown) => {
      // The broker closed it just before, which is just as well.
      this.log.debug(`the channel of ${this.queue} was closed already: ${coerceError(thrown).message}`)
    })
  }

  settling({ consumerTag }: AmqpDelivery): Promise<void> | null {
    const { messages, subscriptions } = this
    if (messages.question) return messages.question
    const subscription = subscriptions.get(consumerTag)
    if (subscription) subscription.unsettled--
    if (subscription?.state !== 'open' || this.keeps) return null
    const first = beforeSettling(subscriptions, subscription)
    if (first === 'cancel') return this.cancelFirst(subscription)
    if (first === 'look') this.options.onChange()
    return null
  }

  write(settlement: Settlement, tag: number): void {
    if (!this.channel || this.fate !== 'held') return
    this.settlements.write(settlement, tag)
    this.messages.remove()
    if (this.isSpent) this.options.onChange()
  }

  private cancelFirst(subscription: Subscription): Promise<void> {
    // The consumer may have been larger than the surplus.
    this.options.onChange()
    return this.messages.waitFor(this.cancel(subscription).catch((thrown) => this.options.epoch.end(thrown)))
  }

  private async consume(size: number): Promise<void> {
    const subscription = this.subscriptions.add(size)
    await this.try(async () => {
      const channel = await this.open()
      if (size !== this.prefetch) await channel.prefetch(size, false)
      this.prefetch = size
      await channel.consume(this.queue, (message) => this.receive(subscription, message), {
        consumerTag: subscription.tag,
      })
      this.everOpen = true
      if (subscription.state === 'opening') subscription.state = 'open'
    })
  }

  private async cancel(subscription: Subscription): Promise<void> {
    this.subscriptions.retire(subscription)
    await this.try(async () => {
      await this.channel?.cancel(subscription.tag)
    })
    this.subscriptions.remove(subscription)
  }

  /** An error because the channel has ended has been reported already. */
  private async try(act: () => Promise<void>): Promise<void> {
    this.options.epoch.acks.write()
    try {
      await act()
    } catch (thrown) {
      if (!this.over) throw thrown
    }
  }

  private async open(): Promise<Channel> {
    if (this.channel) return this.channel
    const { epoch } = this.options
    const channel = await epoch
      .lastingChannel((error) => this.closedByBroker(error))
      .catch((thrown) => {
        // The broker limits the number of channels on a connection.
        if (!epoch.ended.aborted) this.closedByBroker(coerceError(thrown))
        throw thrown
      })
    if (this.over) {
      // It was given up meanwhile: a consumer that nobody knows would keep its messages for good.
      await closeChannel(channel)
      throw new BrokerError(`the queue ${this.queue} is consumed no more`)
    }
    channel.on('close', () => {
      if (this.channel === channel) epoch.end(new BrokerError(`the channel of the queue ${this.queue} was closed`))
    })
    // RabbitMQ 4.3 may still deliver to a consumer that it has cancelled, and amqplib, which has forgotten it, would end the connection.
    channel.on('cancel', ({ consumerTag }) => {
      const { registerConsumer } = channel as Channel & Registry
      registerConsumer.call(channel, consumerTag, (message) => this.arrive(message))
    })
    this.channel = channel
    return channel
  }

  private closedByBroker(error: Error): void {
    this.channel = null
    this.messages.become(isNoQueue(error) ? 'gone' : 'lost')
    this.finish(error)
  }

  private finish(error: Error | null): void {
    if (this.over) return
    this.over = true
    if (error === null) this.messages.doubts()
    this.options.onEnd(this, error)
  }

  private arrive(message: ConsumeMessage): void {
    // Messages that arrive now come after those that the broker has taken back, and go back behind them.
    if (this.over) return
    this.messages.add()
    this.options.onMessage(message, this)
  }

  private receive(subscription: Subscription, message: ConsumeMessage | null): void {
    if (message !== null) {
      subscription.unsettled++
      this.arrive(message)
      return
    }
    // Even if it crossed our own cancellation, the broker may have taken back what the consumer held.
    const expected = this.keeps || (subscription.state === 'cancelling' && this.held === 0)
    this.subscriptions.remove(subscription)
    if (!expected) this.finish(null)
  }
}
