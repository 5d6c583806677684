import type { Delivery } from '../../lib/ports.js'
import type { AmqpProperties } from '../../lib/protocol/amqp.js'

let sequence = 0

/** A delivery without a broker, which remembers how it was settled. */
export class FakeDelivery implements Delivery {
  readonly sequence = ++sequence
  readonly deliveryTag = this.sequence
  readonly consumerTag = 'spec'
  readonly exchange = ''
  readonly redelivered = false
  readonly isCounted: boolean = false
  live = true
  writing: Promise<void> | null = null
  detached = false
  settledBy: 'ack' | 'reject' | 'giveBack' | null = null

  constructor(
    readonly properties: AmqpProperties,
    readonly content: Buffer,
    readonly queue = 'spec',
    /** Told of each settlement, so that their order can be asserted. */
    private readonly onSettled: (delivery: FakeDelivery) => void = () => undefined,
  ) {}

  get routingKey(): string {
    return this.queue
  }
  get settled(): boolean {
    return this.settledBy !== null
  }
  ack(): void {
    this.settle('ack')
  }
  reject(): void {
    this.settle('reject')
  }
  giveBack(): void {
    this.settle('giveBack')
  }

  detach(): void {
    this.detached = true
  }

  private settle(by: 'ack' | 'reject' | 'giveBack'): void {
    if (this.settledBy !== null)
      throw new Error(`delivery ${this.sequence} was settled twice: ${this.settledBy}, then ${by}`)
    this.settledBy = by
    this.onSettled(this)
  }
}
