import type { ConsumeMessage } from 'amqplib'
import { coerceError } from '../../errors.js'
import type { Delivery } from '../../ports.js'
import { repr } from '../../protocol/repr.js'
import type { Epoch } from '../epoch.js'
import type { ConsumedQueue } from '../queueKind.js'
import { refusalOf } from '../refusal.js'
import { AmqpDelivery } from './delivery.js'
import { planned, type Step } from './plan.js'
import { QueueChannel } from './queueChannel.js'
import { Renewals, type RenewalsOptions } from './renewals.js'

/** Characters of at most four bytes each: a consumer tag may have 255 bytes. */
const LONGEST_PREFIX = 60
export interface WindowOptions extends RenewalsOptions {
  /** Node name of the worker: the tags of a queue's consumers show to whom they belong. */
  readonly node?: string
  /** Messages that a slot may hold unsettled, and a consumer of a small window (basic.qos); 0 means no limit, and one consumer a queue. */
  readonly prefetch: number
  /** How each queue is consumed; as usual if the queue is not listed. */
  readonly kinds: ReadonlyMap<string, ConsumedQueue>
  /** Numbers deliveries over all epochs. */
  nextSequence(): number
  /** Called in the order in which the messages of a queue arrive. */
  onDelivery(delivery: Delivery): void
  /** Called when a queue has got a consumer. */
  onOpened?(queue: string): void
}

/**
 * The consumers of an epoch: a channel for each queue, and on it many consumers with a small prefetch, because a
 * running consumer's prefetch can't be changed. It grows by basic.consume and shrinks by basic.cancel, of an idle
 * consumer at once, of a busy one just before the ack that would free it. A window of blocks that are all busy may be
 * too large by half a block. When a queue's channel ends, the other queues are not affected.
 */
export class Window {
  private readonly channels = new Map<string, QueueChannel>()
  private readonly renewals: Renewals
  private capacity: ReadonlyMap<string, number> = new Map()
  private tags = 0
  /** Whether one consumer that is larger than usual may be exchanged. */
  private splits = false
  private reconciling: Promise<void> | null = null
  private closed = false
  /** Queues that are being given up: messages that are delivered, or given back, stay until their channel is closed. */
  private readonly retained = new Set<string>()

  constructor(private readonly options: WindowOptions) {
    this.renewals = new Renewals(options)
  }

  get epoch(): Epoch {
    return this.options.epoch
  }

  /** The number of open consumers of each queue. */
  count(queue: string): number {
    return this.channels.get(queue)?.count ?? 0
  }

  /**
   * Sets how many messages may be unsettled for each queue; the consumers follow. A queue that isn't named loses all
   * its consumers.
   * @param alone whether no other worker consumes the queues. Then a window may grow by one large consumer instead of
   *   many small ones, each of which costs a round trip to a broker that is busy with the very burst for which it
   *   grows. Other workers would judge our slots by our consumers
   */
  resize(capacity: ReadonlyMap<string, number>, alone = false): void {
    if (this.closed) return
    this.capacity = capacity
    for (const [queue, messages] of capacity) {
      if (messages > 0 && !this.channels.has(queue) && !this.renewals.has(queue) && !this.retained.has(queue))
        this.channels.set(queue, this.channelFor(queue))
    }
    for (const [queue, channel] of this.channels) channel.want(capacity.get(queue) ?? null, alone)
    this.reconcile()
  }

  /** Exchanges one consumer that is larger than usual, if there is any, for some of the usual size. */
  splitLarge(): void {
    this.splits = true
    this.reconcile()
  }

  /** Resolves once there are as many consumers as last requested. */
  async settled(): Promise<void> {
    while (this.reconciling) await this.reconciling
  }

  /**
   * Cancels every consumer. Delivered messages can still be settled. The consumers of single active queues stay, and
   * keep what they are given: another worker gets their queue as soon as they are gone, which is when the channel
   * closes and nothing of it runs here any more.
   */
  async close(): Promise<void> {
    this.closed = true
    for (const [queue, channel] of this.channels) if (!this.keeps(queue)) channel.want(null)
    this.reconcile()
    await this.settled()
    // Closing the channel would overtake them, and messages that wait to be acknowledged would be delivered again.
    await Promise.all([...this.channels.values()].map((channel) => channel.written()))
  }

  /** From now on, messages that are delivered from a queue or given back to it stay with us. */
  retain(queue: string): void {
    this.retained.add(queue)
  }

  /** Closes the channel of a queue, whatever opened it: unsettled messages go back to their place. */
  async drop(queue: string): Promise<void> {
    const channel = this.channels.get(queue)
    await channel?.written()
    this.channels.delete(queue)
    await channel?.close('lost')
    this.retained.delete(queue)
  }

  private keeps(queue: string): boolean {
    if (this.retained.has(queue)) return true
    return this.closed && this.options.kinds.get(queue)?.singleActive === true
  }

  private channelFor(queue: string): QueueChannel {
    const { epoch, kinds, log, node = 'celeriac', prefetch } = this.options
    return new QueueChannel({
      queue,
      epoch,
      log,
      prefetch,
      fixed: kinds.get(queue)?.fixed ?? null,
      nextTag: () => `${node.slice(0, LONGEST_PREFIX)}.${++this.tags}`,
      isQuorum: () => kinds.get(queue)?.type === 'quorum',
      keeps: () => this.keeps(queue),
      onMessage: (message, channel) => this.receive(message, channel),
      onChange: () => this.reconcile(),
      onEnd: (channel, error) => void this.renew(channel, error),
    })
  }

  private reconcile(): void {
    this.reconciling ??= this.converge()
      .catch((thrown) => {
        if (!this.epoch.ended.aborted) this.epoch.end(thrown)
      })
      .finally(() => {
        this.reconciling = null
        // A change requested after the last look, and before this line.
        if (!this.epoch.ended.aborted && this.next()) this.reconcile()
      })
  }

  /**
   * Makes one step at a time, and reads the target again after each: a target that has changed by then costs nothing,
   * and it is known which step has cost the connection. `plan` has the rules.
   */
  private async converge(): Promise<void> {
    // Changes of one turn of the event loop are taken together.
    await new Promise(setImmediate)
    for (let next = this.next(); next && !this.epoch.ended.aborted; next = this.next()) await this.make(...next)
    this.splits = false
    for (const [queue, channel] of this.channels) {
      if (!channel.isSpent || this.closed) continue
      this.channels.delete(queue)
      void channel.close('held')
    }
  }

  private next(): readonly [QueueChannel, Step] | null {
    return planned(this.channels, this.splits && !this.closed)
  }

  private async make(channel: QueueChannel, step: Step): Promise<void> {
    if (!('open' in step)) this.splits = false
    try {
      await channel.make(step)
      if (channel.wasOpen) this.options.onOpened?.(channel.queue)
    } catch (thrown) {
      const refusal = 'open' in step && refusalOf(thrown, this.epoch)
      if (refusal) this.options.onRefused?.(channel.queue, refusal, channel.wasOpen)
      throw thrown
    }
  }

  private receive(message: ConsumeMessage, channel: QueueChannel): void {
    this.renewals.works(channel.queue)
    const delivery = new AmqpDelivery(this.options.nextSequence(), channel.queue, message, channel)
    try {
      this.options.onDelivery(delivery)
    } catch (thrown) {
      // Otherwise amqplib would close the channel, and the next delivery of this message would close the next one.
      this.options.log.critical(
        `A message of ${channel.queue} was rejected: INTERNAL ERROR: ${repr(coerceError(thrown))}`,
      )
      delivery.reject()
    }
  }

  private async renew(channel: QueueChannel, error: Error | null): Promise<void> {
    this.channels.delete(channel.queue)
    if (await this.renewals.renew(channel, error, () => this.closed)) this.resize(this.capacity)
  }
}
