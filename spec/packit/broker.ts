import { type Channel, type ChannelModel, connect } from 'amqplib'

/** The demo's own connection to RabbitMQ: it makes queues, asks for their depth, and takes them away again. */
export class DemoBroker {
  private depthChannel: Channel | null = null

  private constructor(private readonly connection: ChannelModel) {
    // The operation in progress fails with the same error; without a listener the process would end here.
    connection.on('error', () => undefined)
  }

  /** @throws Error that names the broker, without its password, if it can't be reached */
  static async connect(celeryUrl: string): Promise<DemoBroker> {
    const url = amqpUrl(celeryUrl)
    try {
      return new DemoBroker(await connect(url))
    } catch (thrown) {
      const { host } = new URL(url)
      throw new Error(`RabbitMQ at ${host} can't be reached: ${thrown instanceof Error ? thrown.message : thrown}`)
    }
  }

  /** A durable queue. */
  async createQueue(name: string): Promise<void> {
    await this.once((channel) => channel.assertQueue(name, { durable: true }))
  }

  /** Takes away the queue, and the exchange of the same name that Celery declares with it. */
  async deleteQueue(name: string): Promise<void> {
    await this.once((channel) => channel.deleteQueue(name))
    await this.once((channel) => channel.deleteExchange(name))
  }

  /** Messages ready in the queue, by passive declare on a channel of its own. */
  async depth(queue: string): Promise<number> {
    this.depthChannel ??= await this.connection.createChannel()
    return (await this.depthChannel.checkQueue(queue)).messageCount
  }

  async close(): Promise<void> {
    await this.connection.close()
  }

  private async once(work: (channel: Channel) => Promise<unknown>): Promise<void> {
    const channel = await this.connection.createChannel()
    // A refused operation rejects and closes its channel; the event says nothing new.
    channel.on('error', () => undefined)
    await work(channel)
    await channel.close()
  }
}

/** Celery's broker URL as amqplib understands it: Celery fills in guest, guest and the virtual host "/". */
export function amqpUrl(celeryUrl: string): string {
  const url = new URL(celeryUrl)
  url.username ||= 'guest'
  url.password ||= 'guest'
  url.pathname = `/${encodeURIComponent(decodeURIComponent(url.pathname.slice(1)) || '/')}`
  return url.href
}
