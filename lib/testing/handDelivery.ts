import type { Delivery } from '../ports.js'
import type { AmqpProperties, OutgoingMessage } from '../protocol/amqp.js'

/** A delivery that comes from no broker, and that nobody waits to see settled. */
export class HandDelivery implements Delivery {
  readonly sequence = 1
  readonly deliveryTag = 1
  readonly consumerTag = 'testing'
  readonly redelivered = false
  readonly isCounted = false
  readonly live = true
  readonly writing = null
  readonly exchange: string
  readonly routingKey: string
  readonly queue: string
  readonly properties: AmqpProperties
  readonly content: Buffer
  settled = false

  constructor({ content, exchange, properties, routingKey }: OutgoingMessage) {
    this.exchange = exchange
    this.routingKey = routingKey
    this.queue = routingKey
    this.properties = properties
    this.content = content
  }

  ack(): void {
    this.settled = true
  }

  reject(): void {
    this.settled = true
  }

  giveBack(): void {
    this.settled = true
  }
}
