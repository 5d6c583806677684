import type { ConsumeMessage } from 'amqplib'
import type { Delivery, Logger } from '../../ports.js'
import type { AmqpProperties } from '../../protocol/amqp.js'
import type { Fate } from './held.js'

/** Bytes. Of so few, the object that a Buffer is would be the larger part; those of larger ones stay out of the heap. */
const SMALL = 1024

/** A character for each byte. */
type Latin1 = string

/** `give back` is basic.nack with requeue. */
export type Settlement = 'ack' | 'reject' | 'give back'

/** The channel of a delivery: it can only be settled on the very channel that brought it. */
export interface DeliveryChannel {
  readonly log: Logger
  readonly fate: Fate
  /** Whether its queue is known to be a quorum queue. */
  readonly isQuorum: boolean
  /**
   * Whether messages that are given back must stay with us until the channel closes, which returns everything at once
   * and in order.
   */
  readonly keeps: boolean
  /**
   * Called before the message is settled, while its consumer can still be cancelled without getting another message. If
   * the consumer is being cancelled, or the broker has cancelled it and may have the message back, the message is
   * settled once that is done or known.
   */
  settling(delivery: AmqpDelivery): Promise<void> | null
  /** Writes a settlement, unless the channel is gone by then. */
  write(settlement: Settlement, tag: number): void
}

/** A delivery of RabbitMQ's. It keeps nothing of amqplib's own objects: many of them may wait. */
export class AmqpDelivery implements Delivery {
  readonly deliveryTag: number
  readonly consumerTag: string
  readonly exchange: string
  readonly routingKey: string
  readonly redelivered: boolean
  readonly properties: AmqpProperties
  private bytes: Buffer | Latin1
  settled = false
  writing: Promise<void> | null = null

  constructor(
    readonly sequence: number,
    readonly queue: string,
    { content, fields, properties }: ConsumeMessage,
    private readonly through: DeliveryChannel,
  ) {
    this.deliveryTag = fields.deliveryTag
    this.consumerTag = fields.consumerTag
    this.exchange = fields.exchange
    this.routingKey = fields.routingKey
    this.redelivered = fields.redelivered
    this.properties = properties
    this.bytes = content
  }

  get content(): Buffer {
    return typeof this.bytes === 'string' ? Buffer.from(this.bytes, 'latin1') : this.bytes
  }
  get isCounted(): boolean {
    return this.through.isQuorum
  }
  get live(): boolean {
    return this.through.fate !== 'lost'
  }

  ack(): void {
    this.settle('ack')
  }

  reject(): void {
    this.settle('reject')
  }

  giveBack(): void {
    if (this.through.keeps) this.settled = true
    else this.settle('give back')
  }

  /** The content is a slice of what was read from the connection at once, and keeps all of that in memory. */
  detach(): void {
    const { content } = this
    if (content.length <= SMALL) this.bytes = content.toString('latin1')
    else if (content.length * 2 < content.buffer.byteLength) this.bytes = Buffer.from(content)
  }

  private settle(settlement: Settlement): void {
    if (this.settled) return
    this.settled = true
    const { fate, log } = this.through
    if (fate === 'lost')
      log.warning(
        `Couldn't ${settlement} ${this.deliveryTag}: its channel is gone, and the broker delivers the message again`,
      )
    else if (fate === 'gone' && settlement !== 'ack')
      log.warning(
        `Couldn't ${settlement} ${this.deliveryTag}: its queue ${this.queue} was deleted, and the message with it`,
      )
    if (fate !== 'held') return
    const cancelled = this.through.settling(this)
    if (!cancelled) {
      this.through.write(settlement, this.deliveryTag)
      return
    }
    this.writing = cancelled.then(() => {
      this.writing = null
      this.through.write(settlement, this.deliveryTag)
    })
  }
}
