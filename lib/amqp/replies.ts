import type { ReplyInlet, ReplyQueue } from '../broker/replyInlet.js'
import { BrokerError } from '../errors.js'
import { deferred } from '../listeners.js'
import { Connection, type ConnectionOptions } from './connection.js'
import { hear } from './nodes/hear.js'

/** Consumes a client's reply queue, on a connection of its own that is open only while replies are awaited. */
export class AmqpReplies implements ReplyInlet {
  constructor(private readonly options: Omit<ConnectionOptions, 'onUp' | 'onDown' | 'gaveUp'>) {}

  async open(queue: ReplyQueue, onReply: (content: Buffer) => void): Promise<() => Promise<void>> {
    const { connection, consuming } = this.connect(queue, onReply)
    await connection.start()
    await consuming
    return () => connection.stop()
  }

  private connect(
    queue: ReplyQueue,
    onReply: (content: Buffer) => void,
  ): { connection: Connection; consuming: Promise<void> } {
    const consuming = deferred<void>()
    const connection = new Connection({
      ...this.options,
      // A sender of tasks waits for their results, however long the broker is away.
      laterRetries: null,
      onUp: async (epoch) => {
        const channel = await epoch.channel()
        const { durable, autoDelete } = queue
        await channel.assertQueue(queue.name, { durable, autoDelete, arguments: { ...queue.arguments } })
        await hear(epoch, channel, queue.name, {
          onMessage: (content) => onReply(content),
          onUnreadable: (error) => this.options.log.warning(`A result was dropped: ${error.message}`),
        })
        consuming.resolve()
      },
      onDown: async () => undefined,
      gaveUp: (error) => consuming.reject(new BrokerError(`no reply queue: ${error.message}`, { cause: error })),
    })
    return { connection, consuming: consuming.promise }
  }
}
