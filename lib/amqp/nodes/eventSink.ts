import type { Channel } from 'amqplib'
import type { EventSink } from '../../broker/eventSink.js'
import { coerceError } from '../../errors.js'
import { Listeners } from '../../listeners.js'
import type { Logger } from '../../ports.js'
import { EVENT_EXCHANGE } from '../../protocol/event.js'
import { Connection, type ConnectionOptions } from '../connection.js'
import type { Epoch } from '../epoch.js'

const TRANSIENT = 1

/**
 * Publishes events to RabbitMQ, unconfirmed, on a connection of its own as Celery does: a broker that is short of memory stops
 * reading from connections that publish, and must not stop reading our acks with them. It connects when it is started.
 */
export class AmqpEventSink implements EventSink {
  private readonly connections = new Listeners()
  private readonly drains = new Listeners()
  /** Events that couldn't be sent, over all connections. */
  dropped = 0
  private readonly connection: Connection
  private channel: Channel | null = null
  private congested = false

  private readonly log: Logger

  constructor(options: Omit<ConnectionOptions, 'onUp' | 'onDown' | 'gaveUp'>) {
    this.log = options.log
    this.connection = new Connection({
      ...options,
      onUp: (epoch) => this.up(epoch),
      onDown: async () => {
        this.channel = null
      },
    })
  }

  onUp(listener: () => void): () => void {
    return this.connections.add(listener)
  }

  onDrain(listener: () => void): () => void {
    return this.drains.add(listener)
  }

  get open(): boolean {
    return this.channel !== null && !this.congested
  }

  start(): Promise<void> {
    return this.connection.start()
  }

  stop(): Promise<void> {
    return this.connection.stop()
  }

  publish(routingKey: string, hostname: string, content: Buffer): void {
    if (!this.channel) return
    try {
      const flowing = this.channel.publish(EVENT_EXCHANGE, routingKey, content, {
        contentType: 'application/json',
        contentEncoding: 'utf-8',
        deliveryMode: TRANSIENT,
        priority: 0,
        headers: { hostname },
      })
      // This message is accepted all the same; more of them would only fill the memory.
      if (!flowing) this.congested = true
    } catch (thrown) {
      // An event that can't be sent, such as one whose type is too long for a routing key, must fail neither the task
      // nor the next events. If the channel has just been closed, its epoch is about to be notified.
      this.dropped++
      this.log.debug(`An event was dropped: ${coerceError(thrown).message}`)
    }
  }

  private async up(epoch: Epoch): Promise<void> {
    const channel = await epoch.channel()
    await channel.assertExchange(EVENT_EXCHANGE, 'topic', { durable: true })
    epoch.ended.throwIfAborted()
    const close = (): void => {
      if (this.channel === channel) this.channel = null
    }
    epoch.ended.addEventListener('abort', close, { once: true })
    channel.on('drain', () => {
      if (this.channel !== channel) return
      this.congested = false
      this.drains.tell()
    })
    this.channel = channel
    this.congested = false
    this.connections.tell()
  }
}
