import { QueueRefused } from '../broker/intake.js'
import { systemClock } from '../clock.js'
import { BrokerError } from '../errors.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import type { QueueSpec } from '../settings/queues.js'
import { Exchange } from './bindings.js'
import { Delayed } from './delayed.js'
import { received, type StoredMessage } from './messages.js'
import { MemoryQueue, type QueueOptions } from './queue.js'

/**
 * Everything that brokers of one name in this process share: queues, exchanges, and the messages in them. Lives as long
 * as the process.
 */
export class MemoryServer {
  private static readonly known = new Map<string, MemoryServer>()
  private readonly exchanges = new Map<string, Exchange>()
  private readonly queues = new Map<string, MemoryQueue>()
  /** Exclusive queues, with their owners. */
  private readonly owners = new Map<string, object>()
  private readonly delayed = new Delayed((queue, message) => this.queues.get(queue)?.put(message))

  /** @param name brokers of the same name share everything */
  static named(name: string): MemoryServer {
    const server = MemoryServer.known.get(name) ?? new MemoryServer()
    MemoryServer.known.set(name, server)
    return server
  }

  /** Drops everything that brokers of this name share. Those that are still open keep it to themselves. */
  static forget(name: string): void {
    MemoryServer.known.get(name)?.delayed.clear()
    MemoryServer.known.delete(name)
  }

  /**
   * Declares a queue with its exchange and binding. An existing queue is used unchanged.
   * @throws QueueRefused for an exclusive queue of another owner
   */
  declare(spec: QueueSpec, owner: object): MemoryQueue {
    const { exchange, name, routingKey } = spec
    const queue = this.declareQueue(spec, owner)
    if (exchange.name !== '') this.declareExchange(exchange.name, exchange.type).bind(routingKey, name)
    return queue
  }

  /** Declares an exchange. An existing one is used unchanged. */
  declareExchange(name: string, type: string): Exchange {
    const exchange = this.exchanges.get(name) ?? new Exchange(type)
    this.exchanges.set(name, exchange)
    return exchange
  }

  declareQueue(options: QueueOptions, owner: object): MemoryQueue {
    const { exclusive, name } = options
    const found = this.queues.get(name)
    const held = this.owners.get(name)
    if (held && held !== owner) throw new QueueRefused(`queue ${name} belongs to another connection alone`, false)
    if (found) return found
    const queue: MemoryQueue = new MemoryQueue(options, {
      now: systemClock.now,
      bury: (message, reason) => this.bury(queue, message, reason),
      onUnused: () => {
        if (options.autoDelete) this.deleteQueue(name)
      },
    })
    this.queues.set(name, queue)
    if (exclusive) this.owners.set(name, owner)
    return queue
  }

  deleteQueue(name: string): void {
    this.queues.delete(name)
    this.owners.delete(name)
    for (const exchange of this.exchanges.values()) exchange.forget(name)
  }

  /** Returns a queue; null if it doesn't exist. */
  queue(name: string): MemoryQueue | null {
    return this.queues.get(name) ?? null
  }

  /**
   * Puts a message into each queue that it is routed to.
   * @returns the number of these queues
   * @throws BrokerError for an exchange that doesn't exist
   */
  publish(message: OutgoingMessage): number {
    const found = this.route(message)
    for (const name of found) this.queues.get(name)?.put(received(message))
    return found.length
  }

  /** Puts a message into a queue after a delay. */
  later(queue: string, message: OutgoingMessage, delayMs: number): void {
    this.delayed.add(queue, received({ ...message, exchange: '', routingKey: queue }), delayMs)
  }

  private route({ exchange, routingKey }: OutgoingMessage): readonly string[] {
    if (exchange === '') return this.queues.has(routingKey) ? [routingKey] : []
    const found = this.exchanges.get(exchange)
    if (!found) throw new BrokerError(`there is no exchange ${exchange}`, { retriable: false })
    return [...found.route(routingKey)]
  }

  /** Sends a message that left a queue to the queue's `x-dead-letter-exchange`, if it has one. */
  private bury({ options }: MemoryQueue, message: StoredMessage, reason: string): void {
    const { 'x-dead-letter-exchange': exchange, 'x-dead-letter-routing-key': key } = options.arguments
    if (typeof exchange !== 'string' || (exchange !== '' && !this.exchanges.has(exchange))) return
    const { expiration: _, headers, ...properties } = message.properties
    this.publish({
      exchange,
      routingKey: typeof key === 'string' ? key : message.routingKey,
      content: message.content,
      properties: { ...properties, headers: { ...headers, 'x-first-death-reason': reason } },
    })
  }
}
