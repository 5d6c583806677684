import { type QueueWindow, type Subscription, type Target, targetOf, weight } from './plan.js'

export interface SubscriptionsOptions extends Pick<QueueWindow, 'prefetch' | 'fixed'> {
  /** A consumer tag that no other consumer of this worker has. */
  nextTag(): string
}

/**
 * The consumers that one queue has on its channel, and how many it should have. Knows nothing of the broker, and
 * decides nothing: see `plan`.
 */
export class Subscriptions implements QueueWindow {
  target: Target = { messages: 0, byOne: false }
  size = 0
  private readonly byTag = new Map<string, Subscription>()
  private opened = 0

  constructor(private readonly options: SubscriptionsOptions) {}

  get prefetch(): number {
    return this.options.prefetch
  }
  get fixed(): number | null {
    return this.options.fixed
  }
  get subscriptions(): Iterable<Subscription> {
    return this.byTag.values()
  }

  /** The number of open consumers. */
  get count(): number {
    return this.opened
  }

  /** Whether there are no consumers, including those being cancelled, and none are to come. */
  get isOver(): boolean {
    return this.target.messages === null && this.byTag.size === 0
  }

  get(tag: string): Subscription | undefined {
    return this.byTag.get(tag)
  }

  /**
   * Sets how many messages may be unsettled.
   * @param messages null for no messages and no consumer either
   * @param alone whether no other worker consumes the queue, so that it may grow by one large consumer
   */
  want(messages: number | null, alone: boolean): void {
    this.target = targetOf(this, messages, alone)
  }

  /** Registers a consumer that is about to be opened. */
  add(size: number): Subscription {
    const subscription: Subscription = { tag: this.options.nextTag(), size, unsettled: 0, state: 'opening' }
    this.byTag.set(subscription.tag, subscription)
    this.enlist(subscription, 1)
    // Nothing is missing any more: from now on consumers are opened as usual.
    if (this.size >= (this.target.messages ?? 0)) this.target = { ...this.target, byOne: false }
    return subscription
  }

  /** Marks a consumer as being cancelled: from now on it counts for nothing. */
  retire(subscription: Subscription): void {
    if (subscription.state === 'cancelling') return
    subscription.state = 'cancelling'
    this.enlist(subscription, -1)
  }

  /** Removes a consumer that is gone. */
  remove(subscription: Subscription): void {
    this.retire(subscription)
    this.byTag.delete(subscription.tag)
  }

  private enlist(subscription: Subscription, by: 1 | -1): void {
    this.opened += by
    this.size += by * weight(subscription)
  }
}
