import { MOST_PREFETCH } from '../../settings/slots.js'
import { blockSize } from './block.js'

/** From this number of missing consumers on they are worth hurrying for. */
const MANY = 8

/** One basic.consume on a queue's channel. */
export interface Consumer {
  readonly tag: string
  /** Its prefetch: the most messages that it may hold unsettled; 0 for no limit. */
  readonly size: number
  unsettled: number
  state: 'opening' | 'open' | 'cancelling'
}

export interface SubscriptionsOptions {
  /** Messages that a slot may hold unsettled, and a consumer of a small window (basic.qos); 0 means no limit, and one consumer. */
  readonly prefetch: number
  /** Prefetch of the single consumer of a queue whose order breaks when consumers come and go; null for a window that changes. */
  readonly fixed: number | null
  /** A consumer tag that no other consumer of this worker has. */
  nextTag(): string
}

/** What brings the consumers nearer to what is wanted. */
export type Change = { readonly open: number } | { readonly cancel: Consumer }

/** Which consumers one queue has on its channel, and which it should have. Knows nothing of the broker. */
export class Subscriptions {
  private readonly consumers = new Map<string, Consumer>()
  /** Without the consumers that are being cancelled: how many there are, and how many messages they may hold. */
  private open = 0
  private size = 0
  /** Messages that they are to hold; null when all are to go, whether they are idle or not. */
  private wanted: number | null = 0
  /** The window has to grow by much at once: all that is missing is opened as one consumer, and exchanged for the usual ones later. */
  private hurried = false

  constructor(private readonly options: SubscriptionsOptions) {}

  /** How many consumers are open. */
  get count(): number {
    return this.open
  }

  /** Whether there are none, not even one that is being cancelled, and none are to come. */
  get isOver(): boolean {
    return this.wanted === null && this.consumers.size === 0
  }

  get(tag: string): Consumer | undefined {
    return this.consumers.get(tag)
  }

  /**
   * Says how many messages may be unsettled.
   * @param messages null for none, and no consumer either
   * @param inHurry whether the window may grow by one large consumer
   */
  want(messages: number | null, inHurry: boolean): void {
    const { fixed, prefetch } = this.options
    this.wanted = messages
    if (messages === null) return
    // Of one consumer without a limit, one message stands for all.
    if (prefetch === 0) this.wanted = Math.min(messages, 1)
    // A window that must not change has one consumer, and that one prefetch.
    else if (messages > 0 && fixed !== null) this.wanted = Math.min(fixed, MOST_PREFETCH)
    const { size } = this
    if (inHurry && size > 0 && -this.surplus >= Math.max(size, MANY * prefetch)) this.hurried = true
  }

  /** Registers a consumer that is about to be opened. */
  add(size: number): Consumer {
    const consumer: Consumer = { tag: this.options.nextTag(), size, unsettled: 0, state: 'opening' }
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

  /** The next step towards what is wanted; null when there is nothing to do, or nothing yet. */
  next(): Change | null {
    const { surplus } = this
    if (surplus < 0) return { open: this.sizeFor(-surplus) }
    this.hurried = false
    // Looked through only when there is one to find: this is asked each time a message is parked, of up to thousands.
    return surplus > 0 ? this.nextToShrink() : null
  }

  /** @returns whether this consumer, which is about to lose a message, has to be cancelled before that frees it for another one. */
  isLeaving(consumer: Consumer): boolean {
    const { surplus } = this
    if (surplus >= weight(consumer)) return true
    // One that is too large goes as well, if that is nearer to what is wanted and none that fits is left. The rest is opened anew.
    const isNearer = 2 * surplus >= weight(consumer) || this.isOversized(consumer)
    return surplus > 0 && isNearer && !this.hasWithin(surplus)
  }

  /** Whether it could now be exchanged for smaller ones, or do without any. */
  isExchangeable({ unsettled }: Consumer): boolean {
    return unsettled === 0 && this.surplus > 0
  }

  /** A consumer that is larger than those of such a window usually are. */
  oversized(): Consumer | null {
    for (const consumer of this.consumers.values())
      if (consumer.state === 'open' && this.isOversized(consumer)) return consumer
    return null
  }

  private isOversized({ size }: Consumer): boolean {
    const { prefetch, fixed } = this.options
    if (size <= prefetch || fixed !== null) return false
    return size > blockSize(this.wanted ?? 0, prefetch)
  }

  private sizeFor(missing: number): number {
    const { prefetch, fixed } = this.options
    if (prefetch === 0) return 0
    const usual = blockSize(this.wanted ?? 0, prefetch)
    const size = fixed ?? (this.hurried ? missing : Math.min(missing, usual))
    return Math.min(size, MOST_PREFETCH)
  }

  private nextToShrink(): Change | null {
    const { surplus } = this
    let larger: Consumer | null = null
    for (const consumer of this.consumers.values()) {
      if (consumer.state !== 'open') continue
      if (this.wanted === null) return { cancel: consumer }
      if (consumer.unsettled > 0) continue
      if (weight(consumer) <= surplus) return { cancel: consumer }
      larger ??= consumer
    }
    // What it leaves missing is opened next.
    return larger && { cancel: larger }
  }

  private hasWithin(surplus: number): boolean {
    for (const consumer of this.consumers.values())
      if (consumer.state === 'open' && weight(consumer) <= surplus) return true
    return false
  }

  /** Messages that the consumers may hold beyond what is wanted; negative for what is missing. */
  private get surplus(): number {
    return this.size - (this.wanted ?? 0)
  }

  private enlist(consumer: Consumer, by: 1 | -1): void {
    this.open += by
    this.size += by * weight(consumer)
  }
}

/** What a consumer counts for in the window. */
function weight({ size }: Consumer): number {
  return Math.max(1, size)
}
