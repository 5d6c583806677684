import type { Delivery, Logger } from '../ports.js'
import type { AmqpProperties } from '../protocol/amqp.js'
import type { StoredMessage } from './messages.js'

/** Where a delivery came from. */
export interface DeliveryWay {
  readonly queue: string
  readonly consumerTag: string
  readonly log: Logger
  /** False once the session has ended: the messages are back in their queues. */
  readonly live: boolean
  settle(delivery: MemoryDelivery, how: 'ack' | 'reject' | 'give back'): void
}

/** A delivered message of a queue of this process. */
export class MemoryDelivery implements Delivery {
  readonly isCounted = false
  readonly writing = null
  readonly redelivered: boolean
  settled = false

  constructor(
    readonly sequence: number,
    readonly deliveryTag: number,
    readonly message: StoredMessage,
    private readonly way: DeliveryWay,
  ) {
    this.redelivered = message.redelivered
  }

  get consumerTag(): string {
    return this.way.consumerTag
  }
  get queue(): string {
    return this.way.queue
  }
  get exchange(): string {
    return this.message.exchange
  }
  get routingKey(): string {
    return this.message.routingKey
  }
  get properties(): AmqpProperties {
    return this.message.properties
  }
  get content(): Buffer {
    return this.message.content
  }
  get live(): boolean {
    return this.way.live
  }

  ack(): void {
    this.settle('ack')
  }

  reject(): void {
    this.settle('reject')
  }

  giveBack(): void {
    this.settle('give back')
  }

  private settle(how: 'ack' | 'reject' | 'give back'): void {
    if (this.settled) return
    this.settled = true
    if (this.live) this.way.settle(this, how)
    else {
      this.way.log.warning(
        `Couldn't ${how} ${this.deliveryTag}: its connection is gone, and the broker delivers the message again`,
      )
    }
  }
}
