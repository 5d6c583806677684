import { randomUUID } from 'node:crypto'
import type { Panel } from '../../control/panel.js'
import { coerceError } from '../../errors.js'
import type { Logger } from '../../ports.js'
import { writeJson } from '../../protocol/content/json.js'
import { wrap } from '../../protocol/content/kombuTypes.js'
import { type ControlRequest, decodeControl } from '../../protocol/control.js'
import type { LamportClock } from '../../protocol/lamport.js'
import { seeClock } from '../../protocol/seenClock.js'
import type { Epoch } from '../epoch.js'
import type { AmqpPublisher } from '../publisher.js'
import { hear } from './hear.js'
import { ReplyChannel } from './replyChannel.js'

const EXCHANGE = 'celery.pidbox'
const REPLY_EXCHANGE = 'reply.celery.pidbox'
const QUEUE_OPTIONS = { durable: false, exclusive: true, autoDelete: true, expires: 10_000, messageTtl: 300_000 }
/** RESOURCE_LOCKED and PRECONDITION_FAILED. */
const TAKEN: ReadonlySet<number> = new Set([405, 406])

export interface MailboxOptions {
  readonly nodename: string
  readonly panel: Panel
  readonly clock: LamportClock
  /** For the replies: not on the connection that consumes, from which a broker short of memory would then read no acks either. */
  readonly publisher: Pick<AmqpPublisher, 'epoch'>
  readonly log: Logger
}

/**
 * The worker's pidbox: remote control comes in, replies go out. Made anew with each epoch. The queue is exclusive, so that
 * brokers which refuse transient shared queues take it.
 */
export class Mailbox {
  /** Control messages that couldn't be read. */
  unread = 0
  private readonly replies: ReplyChannel
  /** For replies to places of the askers' choice: when the broker closes this one, no other reply is lost with it. */
  private readonly elsewhere: ReplyChannel

  constructor(private readonly options: MailboxOptions) {
    const { log, publisher } = options
    const connect = (signal: AbortSignal): Promise<Epoch> => publisher.epoch(signal)
    this.replies = new ReplyChannel({ connect, log })
    this.elsewhere = new ReplyChannel({ connect, log })
  }

  /** Replies that couldn't be sent. */
  get dropped(): number {
    return this.replies.dropped + this.elsewhere.dropped
  }

  /** Opens the mailbox. Whatever is in its way, tasks run all the same: without remote control, if need be. */
  async up(epoch: Epoch): Promise<void> {
    try {
      await this.open(epoch)
    } catch (thrown) {
      epoch.ended.throwIfAborted()
      this.options.log.error(`Remote control is off until the next connection: ${coerceError(thrown).message}`)
    }
  }

  private async open(epoch: Epoch): Promise<void> {
    const queue = await this.declare(epoch)
    const channel = await epoch.channel()
    await hear(channel, queue, {
      onMessage: (content, { headers }) => this.receive(epoch, content, headers?.clock),
      onUnreadable: (error) => this.drop(error),
    })
  }

  /** @returns the name of the queue: another one than Celery's where that belongs to somebody else */
  private async declare(epoch: Epoch): Promise<string> {
    const { log, nodename } = this.options
    await epoch.scratch(async (channel) => {
      await channel.assertExchange(EXCHANGE, 'fanout', { durable: false })
      await channel.assertExchange(REPLY_EXCHANGE, 'direct', { durable: false })
    })
    const name = `${nodename}.${EXCHANGE}`
    const declareAs = (queue: string): Promise<void> =>
      epoch.scratch(async (channel) => {
        await channel.assertQueue(queue, QUEUE_OPTIONS)
        await channel.bindQueue(queue, EXCHANGE, '')
      })
    try {
      await declareAs(name)
      return name
    } catch (thrown) {
      if (!TAKEN.has(Number((thrown as { code?: unknown }).code))) throw thrown
      // A worker of the same name, a killed one whose connection the broker still believes in, or one that declares it otherwise.
      log.warning(
        `A node named ${nodename} is already using this process mailbox! Maybe you forgot to shutdown the other node or did not do so properly? Give each worker a name of its own with -n`,
      )
      const other = `${name}.${randomUUID()}`
      await declareAs(other)
      return other
    }
  }

  private receive(epoch: Epoch, content: Buffer, seen: unknown): void {
    const { clock, panel } = this.options
    seeClock(clock, seen)
    clock.forward()
    try {
      const request = decodeControl(content)
      if (!panel.concerns(request)) return
      const value = panel.answer(request)
      // The command that ends the worker has nothing to answer.
      if (!request.replyTo || value === undefined) return
      if (value instanceof Promise) void value.then((later) => this.reply(request, later, epoch.ended))
      else this.reply(request, value, epoch.ended)
    } catch (thrown) {
      this.drop(thrown)
    }
  }

  private drop(thrown: unknown): void {
    this.unread++
    this.options.log.error(`pidbox: a control message was dropped: ${coerceError(thrown).message}`)
  }

  private reply({ replyTo, ticket }: ControlRequest, value: unknown, ended: AbortSignal): void {
    const { clock, nodename } = this.options
    if (!replyTo) return
    const message = {
      ...replyTo,
      content: Buffer.from(writeJson(wrap({ [nodename]: value }))),
      properties: {
        contentType: 'application/json',
        contentEncoding: 'utf-8',
        deliveryMode: 1,
        headers: { ticket, clock: clock.forward() },
      },
    }
    const replies = replyTo.exchange === REPLY_EXCHANGE ? this.replies : this.elsewhere
    void replies.send(message, ended)
  }
}
