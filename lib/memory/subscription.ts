import { coerceError } from '../errors.js'
import type { Delivery, Logger } from '../ports.js'
import { repr } from '../protocol/repr.js'
import { type DeliveryWay, MemoryDelivery } from './delivery.js'
import type { StoredMessage } from './messages.js'
import type { MemoryQueue, Taker } from './queue.js'

export interface SubscriptionOptions {
  readonly queue: MemoryQueue
  readonly consumerTag: string
  /** Messages that a slot may hold; 0 for no limit. */
  readonly prefetch: number
  readonly ended: AbortSignal
  readonly log: Logger
  /** Numbers deliveries over all sessions. */
  nextSequence(): number
  onDelivery(delivery: Delivery): void
}

/** Consumes one queue for one window. */
export class Subscription implements Taker, DeliveryWay {
  private readonly unsettled = new Set<MemoryDelivery>()
  private size = 0
  private joined = false
  private tags = 0

  constructor(private readonly options: SubscriptionOptions) {}

  get queue(): string {
    return this.options.queue.options.name
  }
  get consumerTag(): string {
    return this.options.consumerTag
  }
  get log(): Logger {
    return this.options.log
  }
  get live(): boolean {
    return !this.options.ended.aborted
  }

  get room(): number {
    return this.size - this.unsettled.size
  }

  /** One per slot: other workers on the queue judge by this number what this worker can do. */
  get weight(): number {
    const { prefetch } = this.options
    if (!this.joined) return 0
    return prefetch === 0 ? 1 : Math.ceil(this.size / prefetch)
  }

  /** @param size messages that may be unsettled */
  resize(size: number): void {
    const { prefetch, queue } = this.options
    this.size = prefetch === 0 && size > 0 ? Number.POSITIVE_INFINITY : size
    if (this.size > 0 && !this.joined) {
      this.joined = true
      queue.join(this)
    } else if (this.size <= 0) this.close()
    else queue.handOut()
  }

  /** Takes no more messages. Delivered ones can still be settled. */
  close(): void {
    if (!this.joined) return
    this.joined = false
    this.options.queue.leave(this)
  }

  /** Returns all messages to their places: the session has ended. */
  end(): void {
    const { queue } = this.options
    this.close()
    for (const { message } of this.unsettled) queue.putBack(message)
    this.unsettled.clear()
  }

  take(message: StoredMessage): void {
    const { log, nextSequence, onDelivery } = this.options
    const delivery = new MemoryDelivery(nextSequence(), ++this.tags, message, this)
    this.unsettled.add(delivery)
    try {
      onDelivery(delivery)
    } catch (thrown) {
      log.critical(`A message of ${this.queue} was rejected: INTERNAL ERROR: ${repr(coerceError(thrown))}`)
      delivery.reject()
    }
  }

  settle(delivery: MemoryDelivery, how: 'ack' | 'reject' | 'give back'): void {
    const { queue } = this.options
    this.unsettled.delete(delivery)
    if (how === 'give back') queue.putBack(delivery.message)
    else if (how === 'reject') queue.reject(delivery.message)
    queue.handOut()
  }
}
