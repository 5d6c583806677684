import { BrokerSide } from './brokerSide.js'
import { type Message, ModelQueue } from './queue.js'

/** A broker with one queue, whose messages it gives to whichever consumer has room, in their order. */
export class ModelBroker {
  readonly queue = new ModelQueue()
  /** The connections that it holds. */
  sides: readonly BrokerSide[] = []
  private turn = 0
  private deliveries = 0
  private readonly numbered = new Map<number, Message>()

  constructor(
    /** Whether the worker may declare a queue of its own. */
    readonly allowsExclusive: boolean,
    /** Told when a message is settled for good. */
    private readonly onDone: (message: Message) => void,
  ) {}

  connect(): BrokerSide {
    const side = new BrokerSide(this)
    this.sides = [...this.sides, side]
    return side
  }

  closed(side: BrokerSide): void {
    this.sides = this.sides.filter((other) => other !== side)
  }

  /** Gives out what it can. */
  push(): void {
    for (;;) {
      if (this.queue.size === 0) return
      const free = this.sides.flatMap((side) => side.free)
      const consumer = free[this.turn++ % free.length]
      const message = consumer && this.queue.take()
      if (!message) return
      consumer.side.deliver(message, consumer)
    }
  }

  done(message: Message): void {
    message.where = 'done'
    this.onDone(message)
  }

  /** Counts a delivery: whoever runs it knows it by its number. */
  number(message: Message): number {
    this.numbered.set(++this.deliveries, message)
    return this.deliveries
  }

  messageOf(n: number): Message {
    const message = this.numbered.get(n)
    if (!message) throw new Error(`delivery ${n} was never made`)
    return message
  }
}
