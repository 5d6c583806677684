import type { ConsumeMessage } from 'amqplib'
import type { ModelBroker } from './broker.js'
import type { Message } from './queue.js'

export type Verb = 'ack' | 'reject' | 'giveBack'

export interface BrokerConsumer {
  readonly tag: string
  readonly prefetch: number
  readonly side: BrokerSide
  /** What it was given and hasn't settled. */
  readonly out: Set<Message>
  write(message: ConsumeMessage | null): void
}

/** A refusal, in amqplib's form. */
function refusal(code: number): Error {
  return Object.assign(new Error(`the broker says ${code}`), { code })
}
const ACCESS_REFUSED = refusal(403)
const NOT_FOUND = refusal(404)
const RESOURCE_LOCKED = refusal(405)

/** A connection as the broker sees it: what it was given is out until it is settled, or until the broker takes the connection for gone. */
export class BrokerSide {
  closed = false
  /** Of the broker's clock: when the worker lost it; null while it hasn't. */
  lostAt: number | null = null
  onClosed: () => void = () => undefined
  private readonly consumers = new Map<string, BrokerConsumer>()
  /** By delivery tag. */
  private readonly out = new Map<number, { message: Message; consumer: BrokerConsumer }>()
  private readonly exclusive = new Set<string>()
  private tags = 0
  private quality = 0

  constructor(private readonly broker: ModelBroker) {}

  /** Consumers that may be given more. */
  get free(): readonly BrokerConsumer[] {
    return [...this.consumers.values()].filter(({ out, prefetch }) => out.size < prefetch)
  }

  /** Consumers that hold messages. */
  get holding(): readonly BrokerConsumer[] {
    return [...this.consumers.values()].filter(({ out }) => out.size > 0)
  }

  has(queue: string): boolean {
    return this.exclusive.has(queue)
  }

  holds(message: Message): boolean {
    return [...this.out.values()].some((each) => each.message === message)
  }

  /** @returns what the answer to a question is; a connection that the broker has closed gets none that anybody reads */
  answer<T>(answer: () => T): { readonly value: T } | { readonly error: Error } {
    try {
      if (this.closed) throw new Error('the connection is closed')
      return { value: answer() }
    } catch (thrown) {
      return { error: thrown as Error }
    }
  }

  prefetch(count: number): void {
    this.quality = count
  }

  consume(tag: string, write: (message: ConsumeMessage | null) => void): void {
    this.consumers.set(tag, { tag, prefetch: this.quality, side: this, out: new Set(), write })
  }

  cancel(tag: string): void {
    this.consumers.delete(tag)
  }

  declare(queue: string, exclusive: boolean): void {
    if (!exclusive) return
    if (!this.broker.allowsExclusive) throw ACCESS_REFUSED
    this.exclusive.add(queue)
  }

  look(queue: string): void {
    if (queue === 'spec' || this.exclusive.has(queue)) return
    throw this.broker.sides.some((side) => side.has(queue)) ? RESOURCE_LOCKED : NOT_FOUND
  }

  deliver(message: Message, consumer: BrokerConsumer): void {
    const deliveryTag = ++this.tags
    const { content, properties } = message
    consumer.out.add(message)
    this.out.set(deliveryTag, { message, consumer })
    consumer.write({
      fields: { deliveryTag, consumerTag: consumer.tag, redelivered: false, exchange: '', routingKey: 'spec' },
      properties: { ...properties, headers: { ...properties.headers, n: this.broker.number(message) } },
      content,
    } as unknown as ConsumeMessage)
  }

  /** @param all the consumers of the channel, if everything up to the tag is meant */
  settle(deliveryTag: number, verb: Verb, all?: ReadonlySet<string>): void {
    for (const [tag, { consumer }] of all ? [...this.out] : []) {
      if (tag < deliveryTag && all?.has(consumer.tag)) this.settleOne(tag, verb)
    }
    this.settleOne(deliveryTag, verb)
  }

  /** What it has taken back it hears nothing more of. */
  private settleOne(deliveryTag: number, verb: Verb): void {
    const given = this.out.get(deliveryTag)
    if (this.closed || !given) return
    const { consumer, message } = given
    this.out.delete(deliveryTag)
    consumer.out.delete(message)
    if (verb === 'giveBack') this.broker.queue.requeue(message)
    else this.broker.done(message)
  }

  /** As RabbitMQ 4.3 at its `consumer_timeout`: the consumer's messages go back to the queue, which stays, and the channel stays open. */
  takeBack(consumer: BrokerConsumer): void {
    this.consumers.delete(consumer.tag)
    for (const [tag, { consumer: other, message }] of [...this.out]) {
      if (other !== consumer) continue
      this.out.delete(tag)
      this.broker.queue.requeue(message)
    }
    consumer.write(null)
  }

  /** What its consumers hold goes back at once. */
  closeChannel(tags: ReadonlySet<string>): void {
    if (this.closed) return
    for (const tag of tags) this.consumers.delete(tag)
    for (const [tag, { consumer, message }] of [...this.out]) {
      if (!tags.has(consumer.tag)) continue
      this.out.delete(tag)
      this.broker.queue.requeue(message)
    }
  }

  /** The broker takes the connection for gone, or is told goodbye. */
  close(): void {
    if (this.closed) return
    this.closed = true
    this.consumers.clear()
    this.exclusive.clear()
    for (const { message } of this.out.values()) this.broker.queue.requeue(message)
    this.out.clear()
    this.broker.closed(this)
    this.onClosed()
  }
}
