import { type Channel, type ChannelModel, type ConfirmChannel, connect } from 'amqplib'
import type { BenchMessage } from './message.js'

/** What a passive declare says. */
export interface Depth {
  /** Messages that no worker has been given. */
  readonly ready: number
  readonly consumers: number
}

/** The bench's own connection to RabbitMQ: it makes queues, fills them, looks at them, and takes them away. */
export class Desk {
  private constructor(
    private readonly connection: ChannelModel,
    private readonly publishing: ConfirmChannel,
    private readonly asking: Channel,
  ) {}

  static async open(url: string): Promise<Desk> {
    const connection = await connect(url)
    // A broker that is stopped takes this connection with it; whoever uses it then is told by a rejection.
    connection.on('error', () => undefined)
    return new Desk(connection, await connection.createConfirmChannel(), await connection.createChannel())
  }

  get brokerVersion(): string {
    return String(this.connection.connection.serverProperties.version)
  }

  /** A durable classic queue, as Celery declares them. */
  async createQueue(name: string, args: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.asking.assertQueue(name, { durable: true, arguments: { ...args } })
  }

  /** Takes away the queue, and the exchange of the same name that Celery declares with it. */
  async deleteQueue(name: string): Promise<void> {
    await this.asking.deleteQueue(name)
    await this.asking.deleteExchange(name)
  }

  /** Publishes in order, and returns once the broker has confirmed all of it. */
  async fill(queue: string, messages: Iterable<BenchMessage>): Promise<void> {
    for (const { content, properties } of messages) {
      if (this.publishing.sendToQueue(queue, content, properties)) continue
      await new Promise<void>((resolve) => this.publishing.once('drain', resolve))
    }
    await this.publishing.waitForConfirms()
  }

  /** Publishes one message without waiting. */
  send(queue: string, { content, properties }: BenchMessage): void {
    this.publishing.sendToQueue(queue, content, properties)
  }

  async depth(queue: string): Promise<Depth> {
    const { messageCount, consumerCount } = await this.asking.checkQueue(queue)
    return { ready: messageCount, consumers: consumerCount }
  }

  async close(): Promise<void> {
    await this.connection.close()
  }
}
