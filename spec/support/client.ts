import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib'
import type { AmqpProperties } from '../../lib/protocol/amqp.js'
import { randomQueue } from './randomName.js'

/** A spec's own connection to the broker: it makes queues, fills them, looks into them, and removes what it made. */
export class Client {
  private readonly queues: string[] = []

  private constructor(
    private readonly connection: ChannelModel,
    private readonly channel: ConfirmChannel,
  ) {}

  static async open(url: string): Promise<Client> {
    const connection = await connect(url)
    // A broker that a spec stops takes this connection with it; that is no fault of the spec's.
    connection.on('error', () => undefined)
    return new Client(connection, await connection.createConfirmChannel())
  }

  /** A fresh durable queue, declared as Celery does. */
  async queue(args: Record<string, unknown> = {}): Promise<string> {
    const name = randomQueue()
    await this.declare(name, args)
    this.queues.push(name)
    return name
  }

  /** Makes one of its queues again that was deleted, or one that goes by itself. */
  async declare(name: string, args: Record<string, unknown> = {}, { autoDelete = false } = {}): Promise<void> {
    await this.channel.assertQueue(name, { durable: true, autoDelete, arguments: args })
  }

  /** Publishes in order, persistent, and waits for all confirms. */
  async publish(queue: string, messages: Iterable<{ properties: AmqpProperties; content: Buffer }>): Promise<void> {
    for (const { properties, content } of messages) {
      const { headers, ...rest } = properties
      this.channel.sendToQueue(queue, content, { persistent: true, ...rest, headers: { ...headers } })
    }
    await this.channel.waitForConfirms()
  }

  async depth(queue: string): Promise<number> {
    return (await this.channel.checkQueue(queue)).messageCount
  }

  async consumers(queue: string): Promise<number> {
    return (await this.channel.checkQueue(queue)).consumerCount
  }

  /** Takes out everything that is ready, in the queue's order. */
  async take(queue: string): Promise<Buffer[]> {
    const contents: Buffer[] = []
    for (;;) {
      const message = await this.channel.get(queue, { noAck: true })
      if (!message) return contents
      contents.push(message.content)
    }
  }

  /** Takes out everything that is ready. @returns for each message whether it was delivered before */
  async redelivered(queue: string): Promise<boolean[]> {
    const all: boolean[] = []
    for (;;) {
      const message = await this.channel.get(queue, { noAck: true })
      if (!message) return all
      all.push(message.fields.redelivered)
    }
  }

  /** Takes the first message and rejects it back into its queue, which every release counts as a return. */
  async giveBack(queue: string): Promise<void> {
    const message = await this.channel.get(queue)
    if (!message) throw new Error(`${queue} has no message to give back`)
    this.channel.reject(message, true)
    while ((await this.depth(queue)) === 0) await new Promise(setImmediate)
  }

  async deleteQueue(queue: string): Promise<void> {
    await this.channel.deleteQueue(queue)
  }

  async deleteExchange(exchange: string): Promise<void> {
    await this.channel.deleteExchange(exchange)
  }

  /** Goes away and leaves the queues as they are. */
  async leave(): Promise<void> {
    await this.connection.close()
  }

  async close(): Promise<void> {
    for (const queue of this.queues) {
      await this.channel.deleteQueue(queue)
      await this.channel.deleteExchange(queue)
    }
    await this.connection.close()
  }
}
