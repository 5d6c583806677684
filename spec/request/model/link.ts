import { EventEmitter } from 'node:events'
import type { ChannelModel, ConsumeMessage } from 'amqplib'
import type { BrokerSide, Verb } from './brokerSide.js'
import { Pipe } from './pipe.js'

/** Seconds; the broker takes a connection for lost after two of them. */
export const HEARTBEAT = 2

/** The one error of them all: an error's stack costs more than all else of a reconnect. */
const LOST = new Error('the connection is lost')

/** A connection between the worker and the broker, in place of amqplib's. Each of the two learns of its end by itself. */
export class Link extends EventEmitter {
  /** To the broker. */
  readonly up = new Pipe()
  /** To the worker. */
  readonly down = new Pipe()
  /** The worker knows that it is gone. */
  lost = false
  private readonly pending = new Set<(error: Error) => void>()
  private readonly delivered = new Map<number, ConsumeMessage>()
  private readonly socket = Object.assign(new EventEmitter(), {
    destroyed: false,
    cork: () => undefined,
    uncork: () => undefined,
    destroy: () => this.lose(),
  })
  readonly connection = { heartbeat: HEARTBEAT, stream: this.socket }

  constructor(
    readonly side: BrokerSide,
    /** Told of each settlement that the worker writes. */
    private readonly onSettle: (message: ConsumeMessage, verb: Verb) => void,
  ) {
    super()
    side.onClosed = () => this.down.write(() => this.lose())
  }

  get model(): ChannelModel {
    return this as unknown as ChannelModel
  }

  /** The worker learns that the connection is gone. */
  lose(): void {
    if (this.lost) return
    this.lost = true
    this.socket.destroyed = true
    for (const reject of this.pending) reject(LOST)
    this.pending.clear()
    this.emit('close', LOST)
    this.socket.emit('close')
  }

  async createChannel(): Promise<LinkChannel> {
    return new LinkChannel(this)
  }

  /** As amqplib's goodbye: all that was written before is read. */
  async close(): Promise<void> {
    if (this.lost) throw LOST
    this.up.slow = false
    this.down.slow = false
    await this.ask(() => this.side.close())
  }

  /** Writes a question; its answer comes back behind all that the broker has written by then. */
  ask<T>(answer: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.lost) throw LOST
      this.pending.add(reject)
      this.up.write(() => {
        const reply = this.side.answer(answer)
        this.down.write(() => {
          if (!this.pending.delete(reject)) return
          if ('error' in reply) reject(reply.error)
          else resolve(reply.value)
        })
      })
    })
  }

  deliver(message: ConsumeMessage): void {
    this.delivered.set(message.fields.deliveryTag, message)
  }

  /**
   * Only the tag of what is settled is known, as on the wire.
   * @param all whether it is settled with all that the channel, which has these consumers, has brought before
   */
  settle({ fields: { deliveryTag } }: ConsumeMessage, verb: Verb, all?: ReadonlySet<string>): void {
    if (this.lost) throw LOST
    this.up.write(() => this.side.settle(deliveryTag, verb, all))
    const isMeant = ({ fields }: ConsumeMessage): boolean =>
      all ? fields.deliveryTag <= deliveryTag && all.has(fields.consumerTag) : fields.deliveryTag === deliveryTag
    const meant = [...this.delivered.values()].filter(isMeant)
    if (meant.length === 0) throw new Error(`nothing unsettled was delivered as ${deliveryTag}`)
    for (const message of meant) {
      this.delivered.delete(message.fields.deliveryTag)
      if (verb !== 'ack') this.onSettle(message, verb)
    }
  }

  /** An acknowledgement counts as written once it is given to the connection, which writes several together. */
  acknowledged(deliveryTag: number): void {
    const message = this.delivered.get(deliveryTag)
    if (!message) throw new Error(`nothing unsettled was delivered as ${deliveryTag}`)
    this.onSettle(message, 'ack')
  }
}

type OnMessage = (message: ConsumeMessage | null) => void

/** What the worker uses of a channel of amqplib's. */
class LinkChannel extends EventEmitter {
  private readonly tags = new Set<string>()

  constructor(private readonly link: Link) {
    super()
  }

  prefetch = (count: number): Promise<void> => this.ask((side) => side.prefetch(count))
  consume = (_queue: string, onMessage: OnMessage, { consumerTag }: { consumerTag: string }): Promise<void> => {
    this.tags.add(consumerTag)
    return this.ask((side) =>
      side.consume(consumerTag, (message) => this.link.down.write(() => this.hear(message, onMessage))),
    )
  }
  cancel = (tag: string): Promise<void> => this.ask((side) => side.cancel(tag))
  assertQueue = (name: string, { exclusive }: { exclusive: boolean }): Promise<void> =>
    this.ask((side) => side.declare(name, exclusive))
  checkQueue = (name: string): Promise<void> => this.ask((side) => side.look(name))
  close = (): Promise<void> => this.ask((side) => side.closeChannel(this.tags))
  ack = (message: ConsumeMessage, allUpTo = false): void =>
    this.link.settle(message, 'ack', allUpTo ? this.tags : undefined)
  reject = (message: ConsumeMessage): void => this.link.settle(message, 'reject')
  nack = (message: ConsumeMessage): void => this.link.settle(message, 'giveBack')

  private hear(message: ConsumeMessage | null, onMessage: OnMessage): void {
    if (this.link.lost) return
    if (message !== null) this.link.deliver(message)
    onMessage(message)
  }

  /** A refusal closes the channel. */
  private async ask(answer: (side: BrokerSide) => void): Promise<void> {
    const { link } = this
    await link
      .ask(() => answer(link.side))
      .catch((error) => {
        if (!link.lost) this.emit('error', error)
        throw error
      })
  }
}
