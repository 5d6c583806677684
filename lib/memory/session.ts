import { randomUUID } from 'node:crypto'
import type { Broadcast, Listener, Session } from '../broker/session.js'
import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import { PIDBOX_EXCHANGE, PIDBOX_REPLY_EXCHANGE } from '../protocol/control.js'
import { EVENT_EXCHANGE } from '../protocol/event.js'
import type { QueueSpec } from '../settings/queues.js'
import type { MemoryQueue, Taker } from './queue.js'
import type { MemoryServer } from './server.js'

const EVENT_TTL_MS = 5000
const CONTROL_TTL_MS = 300_000

/** Stands for a connection: everything tied to it is removed, or returns to its place, when it ends. */
export class MemorySession implements Session {
  /** No heartbeat: a session in the process can't fall silent. */
  readonly heartbeat = 0
  private readonly ending = new AbortController()
  private readonly leaving = new Set<() => void>()

  constructor(
    readonly server: MemoryServer,
    private readonly log: Logger,
  ) {}

  get ended(): AbortSignal {
    return this.ending.signal
  }

  end(reason: unknown): void {
    if (this.ended.aborted) return
    this.ending.abort(coerceError(reason))
    for (const leave of [...this.leaving].reverse()) leave()
    this.leaving.clear()
  }

  /** Runs `leave` when the session ends. @returns a function that cancels this */
  atEnd(leave: () => void): () => void {
    this.leaving.add(leave)
    return () => {
      this.leaving.delete(leave)
    }
  }

  async declare(queue: QueueSpec): Promise<void> {
    this.declareOn(queue)
  }

  /** @throws QueueRefused */
  declareOn(queue: QueueSpec): MemoryQueue {
    this.ended.throwIfAborted()
    const isNew = this.server.queue(queue.name) === null
    const declared = this.server.declare(queue, this)
    if (isNew && queue.exclusive) this.atEnd(() => this.server.deleteQueue(queue.name))
    return declared
  }

  async purge(queue: string): Promise<number> {
    return this.server.queue(queue)?.purge() ?? 0
  }

  async hearEvents(routingKey: string, listener: Listener): Promise<void> {
    const name = `${EVENT_EXCHANGE}.${randomUUID()}`
    this.hearOwn(name, { name: EVENT_EXCHANGE, type: 'topic' }, routingKey, EVENT_TTL_MS, listener)
  }

  async hearControl(nodename: string, listener: Listener): Promise<void> {
    const name = `${nodename}.${PIDBOX_EXCHANGE}`
    const isTaken = this.server.queue(name) !== null
    if (isTaken) {
      this.log.warning(
        `A node named ${nodename} is already using this process mailbox! Maybe you forgot to shutdown the other node or did not do so properly? Give each worker a name of its own with -n`,
      )
    }
    const own = isTaken ? `${name}.${randomUUID()}` : name
    this.hearOwn(own, { name: PIDBOX_EXCHANGE, type: 'fanout' }, '', CONTROL_TTL_MS, listener)
  }

  async broadcast(message: Broadcast): Promise<void> {
    this.tell(message)
  }

  async isHeard(message: Broadcast): Promise<boolean> {
    return this.tell(message) > 0
  }

  async ask(replyKey: string, message: Broadcast, listener: Listener, until: () => Promise<void>): Promise<void> {
    const name = `${replyKey}.${PIDBOX_REPLY_EXCHANGE}`
    const exchange = { name: PIDBOX_REPLY_EXCHANGE, type: 'direct' }
    const leave = this.hearOwn(name, exchange, replyKey, CONTROL_TTL_MS, listener)
    try {
      this.tell(message)
      await until()
    } finally {
      leave()
    }
  }

  /** Consumes from a queue without acknowledgements. @returns a function that stops this */
  hear(queue: MemoryQueue, listener: Pick<Listener, 'onMessage'>): () => void {
    const taker: Taker = {
      room: Number.POSITIVE_INFINITY,
      weight: 1,
      take: ({ content, properties }) => {
        try {
          listener.onMessage(content, properties)
        } catch (thrown) {
          this.end(thrown)
        }
      },
    }
    queue.join(taker)
    const leave = (): void => {
      stays()
      queue.leave(taker)
    }
    const stays = this.atEnd(leave)
    return leave
  }

  private tell({ content, properties }: Broadcast): number {
    this.ended.throwIfAborted()
    this.server.declareExchange(PIDBOX_EXCHANGE, 'fanout')
    return this.server.publish({ exchange: PIDBOX_EXCHANGE, routingKey: '', content, properties })
  }

  private hearOwn(
    name: string,
    exchange: { readonly name: string; readonly type: string },
    routingKey: string,
    ttlMs: number,
    listener: Listener,
  ): () => void {
    const queue = this.declareOn({
      name,
      durable: false,
      exclusive: true,
      autoDelete: true,
      arguments: { 'x-message-ttl': ttlMs },
      exchange: { ...exchange, durable: false, autoDelete: false },
      routingKey,
    })
    return this.hear(queue, listener)
  }
}
