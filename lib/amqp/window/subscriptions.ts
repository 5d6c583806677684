import { MOST_PREFETCH } from '../../settings/slots.js'
import { blockSize } from './block.js'

/** From this number of missing consumers on they are worth hurrying for. */
const MANY = 8

/** Signs of at most four bytes each: a consumer's tag may have 255. */
const LONGEST_PREFIX = 60

/** One basic.consume on the task channel. */
export interface Consumer {
  readonly tag: string
  readonly queue: string
  /** Its prefetch: the most messages that it may hold unsettled; 0 for no limit. */
  readonly size: number
  unsettled: number
  state: 'opening' | 'open' | 'cancelling'
}

export interface SubscriptionsOptions {
  /** Node name of the worker: whoever looks at a queue's consumers sees by their tags whose they are. */
  readonly node?: string
  /** Messages that a slot may hold unsettled, and a consumer of a small window (basic.qos); 0 means no limit, and one consumer a queue. */
  readonly prefetch: number
  /** Queues whose order breaks when consumers come and go -> the prefetch of their single consumer. */
  readonly fixed: ReadonlyMap<string, number>
}

/** What brings the consumers nearer to what is wanted. */
export type Change = { readonly open: string; readonly size: number } | { readonly cancel: Consumer }

/** Which consumers there are on the task channel, and which there should be. Knows nothing of the broker. */
export class Subscriptions {
  private readonly consumers = new Map<string, Consumer>()
  /** By queue, without the consumers that are being cancelled: how many there are, and how many messages they may hold. */
  private readonly counts = new Map<string, number>()
  private readonly sizes = new Map<string, number>()
  private wanted: ReadonlyMap<string, number> = new Map()
  /** Queues whose window has to grow by much at once: all that is missing is opened as one consumer, and exchanged for the usual ones later. */
  private readonly hurried = new Set<string>()
  private tags = 0
  private readonly tagPrefix: string

  constructor(private readonly options: SubscriptionsOptions) {
    this.tagPrefix = (options.node ?? 'celeriac').slice(0, LONGEST_PREFIX)
  }

  /** How many consumers are open for a queue. */
  count(queue: string): number {
    return this.counts.get(queue) ?? 0
  }

  /** Consumers that there are for all queues, with those that are being cancelled. */
  get size(): number {
    return this.consumers.size
  }

  get(tag: string): Consumer | undefined {
    return this.consumers.get(tag)
  }

  /**
   * Says how many messages may be unsettled for each queue. A queue that isn't named is to lose all its consumers.
   * @param inHurry whether a window may grow by one large consumer
   */
  want(capacity: ReadonlyMap<string, number>, inHurry: boolean): void {
    const { prefetch } = this.options
    const wanted = new Map<string, number>()
    for (const [queue, messages] of capacity) {
      // Of one consumer without a limit, one message stands for all.
      wanted.set(queue, prefetch === 0 ? Math.min(messages, 1) : messages > 0 ? this.fixedFor(queue, messages) : 0)
    }
    this.wanted = wanted
    for (const [queue, messages] of wanted) {
      const has = this.sizes.get(queue) ?? 0
      if (inHurry && has > 0 && messages - has >= Math.max(has, MANY * prefetch)) this.hurried.add(queue)
    }
  }

  /** No queue is to have consumers any more but those given, which keep what they have. */
  keepOnly(queues: ReadonlySet<string>): void {
    this.wanted = new Map([...this.sizes].filter(([queue]) => queues.has(queue)))
  }

  /** Registers a consumer that is about to be opened. */
  add({ open: queue, size }: { readonly open: string; readonly size: number }): Consumer {
    const consumer: Consumer = { tag: `${this.tagPrefix}.${++this.tags}`, queue, size, unsettled: 0, state: 'opening' }
    this.consumers.set(consumer.tag, consumer)
    this.enlist(consumer, 1)
    return consumer
  }

  /** It is being cancelled: from now on it counts for nothing. */
  retire(consumer: Consumer): void {
    if (consumer.state === 'cancelling') return
    consumer.state = 'cancelling'
    this.enlist(consumer, -1)
  }

  /** It is gone. */
  remove(consumer: Consumer): void {
    this.retire(consumer)
    this.consumers.delete(consumer.tag)
  }

  /**
   * The next step towards what is wanted; null when there is nothing to do, or nothing yet.
   * @param paused queues that get no consumer for the moment
   * @param closing no consumer is to be opened, and those that aren't wanted go whether they are idle or not
   */
  next(paused: ReadonlySet<string>, closing: boolean): Change | null {
    if (closing) return this.nextToClose()
    for (const queue of this.wanted.keys()) {
      if (paused.has(queue)) continue
      const missing = -this.surplus(queue)
      if (missing > 0) return { open: queue, size: this.sizeFor(queue, missing) }
      this.hurried.delete(queue)
    }
    // Looked through only when there is one to find: this is asked each time a message is parked, of up to thousands.
    if ([...this.sizes.keys()].some((queue) => this.surplus(queue) > 0)) return this.nextToShrink()
    return null
  }

  /** @returns whether this consumer, which is about to lose a message, has to be cancelled before that frees it for another one. */
  isLeaving(consumer: Consumer): boolean {
    const surplus = this.surplus(consumer.queue)
    if (surplus >= weight(consumer)) return true
    // One that is too large goes as well, if that is nearer to what is wanted and none that fits is left. The rest is opened anew.
    const isNearer = 2 * surplus >= weight(consumer) || this.isOversized(consumer)
    return surplus > 0 && isNearer && !this.hasWithin(consumer.queue, surplus)
  }

  /** Whether it could now be exchanged for smaller ones, or do without any. */
  isExchangeable({ queue, unsettled }: Consumer): boolean {
    return unsettled === 0 && this.surplus(queue) > 0
  }

  /** A consumer that is larger than those of such a window usually are. */
  oversized(): Consumer | null {
    for (const consumer of this.consumers.values())
      if (consumer.state === 'open' && this.isOversized(consumer)) return consumer
    return null
  }

  private isOversized({ queue, size }: Consumer): boolean {
    const { prefetch, fixed } = this.options
    if (size <= prefetch || fixed.has(queue)) return false
    return size > blockSize(this.wanted.get(queue) ?? 0, prefetch)
  }

  private sizeFor(queue: string, missing: number): number {
    const { prefetch, fixed } = this.options
    if (prefetch === 0) return 0
    const usual = blockSize(this.wanted.get(queue) ?? 0, prefetch)
    const size = fixed.get(queue) ?? (this.hurried.has(queue) ? missing : Math.min(missing, usual))
    return Math.min(size, MOST_PREFETCH)
  }

  /** A window that must not change has one consumer, and that one prefetch. */
  private fixedFor(queue: string, messages: number): number {
    const fixed = this.options.fixed.get(queue)
    return fixed === undefined ? messages : Math.min(fixed, MOST_PREFETCH)
  }

  private nextToClose(): Change | null {
    for (const consumer of this.consumers.values())
      if (consumer.state === 'open' && this.surplus(consumer.queue) > 0) return { cancel: consumer }
    return null
  }

  private nextToShrink(): Change | null {
    let larger: Consumer | null = null
    for (const consumer of this.consumers.values()) {
      const surplus = this.surplus(consumer.queue)
      if (consumer.state !== 'open' || surplus <= 0) continue
      if (!this.wanted.has(consumer.queue)) return { cancel: consumer }
      if (consumer.unsettled > 0) continue
      if (weight(consumer) <= surplus) return { cancel: consumer }
      larger ??= consumer
    }
    // What it leaves missing is opened next.
    return larger && { cancel: larger }
  }

  private hasWithin(queue: string, surplus: number): boolean {
    for (const consumer of this.consumers.values())
      if (consumer.queue === queue && consumer.state === 'open' && weight(consumer) <= surplus) return true
    return false
  }

  /** Messages that the consumers of a queue may hold beyond what is wanted; negative for what is missing. */
  private surplus(queue: string): number {
    return (this.sizes.get(queue) ?? 0) - (this.wanted.get(queue) ?? 0)
  }

  private enlist(consumer: Consumer, by: 1 | -1): void {
    const { queue } = consumer
    this.counts.set(queue, this.count(queue) + by)
    this.sizes.set(queue, (this.sizes.get(queue) ?? 0) + by * weight(consumer))
  }
}

/** What a consumer counts for in its queue's window. */
function weight({ size }: Consumer): number {
  return Math.max(1, size)
}
