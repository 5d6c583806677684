import type { OutgoingMessage } from '../protocol/amqp.js'
import type { QueueSpec } from '../settings/queues.js'
import type { StoredMessage } from './messages.js'

/** A consumer of a queue. */
export interface Taker {
  /** Number of messages that it can take at present. */
  readonly room: number
  /** Number of consumers that it counts for. */
  readonly weight: number
  take(message: StoredMessage): void
}

export type QueueOptions = Pick<QueueSpec, 'name' | 'exclusive' | 'autoDelete' | 'arguments'>

export interface QueueHooks {
  /** Wall-clock milliseconds. */
  now(): number
  /** Called when a message leaves the queue because it expired or was rejected. */
  bury(message: StoredMessage, reason: 'expired' | 'rejected'): void
  /** Called when the last consumer leaves. */
  onUnused(): void
}

/** A queue of this process, ordered by priority, then by arrival. A message that is given back returns to its place. */
export class MemoryQueue {
  private readonly ready: StoredMessage[] = []
  /** Index in `ready` of the first message: taking from the front of a long array would move all the others. */
  private first = 0
  private takers: Taker[] = []
  private places = 0
  private isHandingOut = false

  constructor(
    readonly options: QueueOptions,
    private readonly hooks: QueueHooks,
  ) {}

  /** Number of messages that are delivered to nobody. */
  get depth(): number {
    this.dropExpired()
    return this.ready.length - this.first
  }

  /** Number of consumers in the whole process. */
  get consumers(): number {
    return this.takers.reduce((sum, { weight }) => sum + weight, 0)
  }

  put({ content, exchange, properties, routingKey }: OutgoingMessage): void {
    const { 'x-max-priority': most, 'x-message-ttl': ttl } = this.options.arguments
    const lives = Math.min(millisecondsOf(ttl), millisecondsOf(properties.expiration))
    this.insert({
      place: ++this.places,
      priority: Math.min(Number(properties.priority ?? 0), Number(most ?? 0)),
      exchange,
      routingKey,
      properties,
      content,
      expiresAt: lives === Infinity ? null : this.hooks.now() + lives,
      redelivered: false,
    })
    this.handOut()
  }

  /** Returns a message to its place, to be delivered again. */
  putBack(message: StoredMessage): void {
    message.redelivered = true
    this.insert(message)
    this.handOut()
  }

  /** Drops a message that was rejected. */
  reject(message: StoredMessage): void {
    this.hooks.bury(message, 'rejected')
  }

  /** @returns the number of messages removed */
  purge(): number {
    const { depth } = this
    this.ready.length = 0
    this.first = 0
    return depth
  }

  join(taker: Taker): void {
    this.takers.push(taker)
    this.handOut()
  }

  leave(taker: Taker): void {
    const before = this.takers.length
    this.takers = this.takers.filter((other) => other !== taker)
    if (before > 0 && this.takers.length === 0) this.hooks.onUnused()
    this.handOut()
  }

  /** Delivers messages to takers with room, in the next turn of the event loop. */
  handOut(): void {
    if (this.isHandingOut || this.takers.length === 0 || this.ready.length === this.first) return
    this.isHandingOut = true
    setImmediate(() => {
      this.isHandingOut = false
      for (let taker = this.nextTaker(); taker !== null; taker = this.nextTaker()) {
        this.dropExpired()
        const message = this.shift()
        if (!message) return
        taker.take(message)
      }
    })
  }

  /** Returns the next taker with room, in turn. With a single active consumer, only the first. */
  private nextTaker(): Taker | null {
    if (this.options.arguments['x-single-active-consumer'] === true) {
      const [active] = this.takers
      return active && active.room > 0 ? active : null
    }
    const index = this.takers.findIndex(({ room }) => room > 0)
    const [taker] = index < 0 ? [] : this.takers.splice(index, 1)
    if (!taker) return null
    this.takers.push(taker)
    return taker
  }

  private shift(): StoredMessage | undefined {
    const message = this.ready[this.first]
    if (!message) return undefined
    // What was taken is held until it is cut off.
    const { length } = this.ready
    if (++this.first === length || (this.first > 1000 && this.first * 2 > length)) {
      this.ready.splice(0, this.first)
      this.first = 0
    }
    return message
  }

  private insert(message: StoredMessage): void {
    let low = this.first
    let high = this.ready.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (isBefore(message, this.ready[middle] as StoredMessage)) high = middle
      else low = middle + 1
    }
    this.ready.splice(low, 0, message)
  }

  /** Only at the front, as in RabbitMQ. */
  private dropExpired(): void {
    const now = this.hooks.now()
    for (;;) {
      const message = this.ready[this.first]
      if (!message || message.expiresAt === null || message.expiresAt > now) return
      this.shift()
      this.hooks.bury(message, 'expired')
    }
  }
}

function isBefore(one: StoredMessage, other: StoredMessage): boolean {
  return one.priority === other.priority ? one.place < other.place : one.priority > other.priority
}

function millisecondsOf(value: unknown): number {
  return value === undefined || value === null || !Number.isFinite(Number(value)) ? Infinity : Number(value)
}
