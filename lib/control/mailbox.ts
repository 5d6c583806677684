import type { ReplySink } from '../broker/replySink.js'
import type { Session } from '../broker/session.js'
import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import { writeJson } from '../protocol/content/json.js'
import { wrap } from '../protocol/content/kombuTypes.js'
import { type ControlRequest, decodeControl, PIDBOX_REPLY_EXCHANGE } from '../protocol/control.js'
import type { LamportClock } from '../protocol/lamport.js'
import { seeClock } from '../protocol/seenClock.js'
import type { Panel } from './panel.js'

export interface MailboxOptions {
  readonly nodename: string
  readonly panel: Panel
  readonly clock: LamportClock
  /** Sends replies to the usual exchange. */
  readonly replies: ReplySink
  /**
   * Sends replies to addresses that clients choose: if the broker closes this channel, no other reply is lost with it.
   */
  readonly elsewhere: ReplySink
  readonly log: Logger
}

/** The worker's pidbox: receives remote control and sends replies. Opened again for each session. */
export class Mailbox {
  /** Control messages that couldn't be read. */
  unread = 0

  constructor(private readonly options: MailboxOptions) {}

  /** Replies that couldn't be sent. */
  get dropped(): number {
    const { elsewhere, replies } = this.options
    return replies.dropped + elsewhere.dropped
  }

  /** Opens the mailbox. If that fails, tasks run all the same, without remote control if need be. */
  async up(session: Session): Promise<void> {
    const { log, nodename } = this.options
    try {
      await session.hearControl(nodename, {
        onMessage: (content, { headers }) => this.receive(session, content, headers?.clock),
        onUnreadable: (error) => this.drop(error),
      })
    } catch (thrown) {
      session.ended.throwIfAborted()
      log.error(`Remote control is off until the next connection: ${coerceError(thrown).message}`)
    }
  }

  private receive({ ended }: Session, content: Buffer, seen: unknown): void {
    const { clock, panel } = this.options
    seeClock(clock, seen)
    clock.forward()
    try {
      const request = decodeControl(content)
      if (!panel.concerns(request)) return
      const value = panel.answer(request)
      // The command that ends the worker sends no reply.
      if (!request.replyTo || value === undefined) return
      if (value instanceof Promise) void value.then((later) => this.reply(request, later, ended))
      else this.reply(request, value, ended)
    } catch (thrown) {
      this.drop(thrown)
    }
  }

  private drop(thrown: unknown): void {
    this.unread++
    this.options.log.error(`pidbox: a control message was dropped: ${coerceError(thrown).message}`)
  }

  private reply({ replyTo, ticket }: ControlRequest, value: unknown, ended: AbortSignal): void {
    const { clock, elsewhere, nodename, replies } = this.options
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
    void (replyTo.exchange === PIDBOX_REPLY_EXCHANGE ? replies : elsewhere).send(message, ended)
  }
}
