import type { Channel } from 'amqplib'
import type { Panel } from '../control/panel.js'
import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import { decodeControl } from '../protocol/control.js'
import type { LamportClock } from '../protocol/lamport.js'
import type { Epoch } from './epoch.js'

const EXCHANGE = 'celery.pidbox'
const REPLY_EXCHANGE = 'reply.celery.pidbox'
const QUEUE_EXPIRES_MS = 10_000
const MESSAGE_TTL_MS = 300_000

export interface MailboxOptions {
  readonly nodename: string
  readonly panel: Panel
  readonly clock: LamportClock
  readonly log: Logger
}

/**
 * The worker's pidbox: remote control comes in, replies go out. Made anew with each epoch. The queue is exclusive, so that
 * brokers which refuse transient shared queues take it.
 */
export class Mailbox {
  constructor(private readonly options: MailboxOptions) {}

  async up(epoch: Epoch): Promise<void> {
    const { nodename } = this.options
    const channel = await epoch.channel()
    await channel.assertExchange(EXCHANGE, 'fanout', { durable: false })
    await channel.assertExchange(REPLY_EXCHANGE, 'direct', { durable: false })
    const queue = `${nodename}.${EXCHANGE}`
    await channel.assertQueue(queue, {
      durable: false,
      exclusive: true,
      autoDelete: true,
      expires: QUEUE_EXPIRES_MS,
      messageTtl: MESSAGE_TTL_MS,
    })
    await channel.bindQueue(queue, EXCHANGE, '')
    await channel.consume(
      queue,
      (message) => {
        if (message) this.receive(channel, message.content, message.properties.headers?.clock)
      },
      { noAck: true },
    )
  }

  private receive(channel: Channel, content: Buffer, seen: unknown): void {
    const { clock, log, nodename, panel } = this.options
    if (typeof seen === 'number') clock.adjust(seen)
    clock.forward()
    try {
      const request = decodeControl(content)
      if (!panel.concerns(request)) return
      const value = panel.answer(request)
      if (!request.replyTo) return
      channel.publish(
        request.replyTo.exchange,
        request.replyTo.routingKey,
        Buffer.from(JSON.stringify({ [nodename]: value })),
        {
          contentType: 'application/json',
          contentEncoding: 'utf-8',
          deliveryMode: 1,
          headers: { ticket: request.ticket, clock: clock.forward() },
        },
      )
    } catch (thrown) {
      log.error(`pidbox: a control message was dropped: ${coerceError(thrown).message}`)
    }
  }
}
