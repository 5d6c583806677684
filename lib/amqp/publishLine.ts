import type { ConfirmChannel, Options } from 'amqplib'
import { BrokerError, coerceError } from '../errors.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import type { Epoch } from './epoch.js'
import { headersForAll } from './headers.js'
import { isReply, REPLY_CODE } from './replyCode.js'

/** The result of sending a message through a `PublishLine`. */
export type Sending =
  /** The broker has it. */
  | { readonly is: 'confirmed' }
  /** No queue takes the message, or it can't be written: another try would end in the same way. */
  | { readonly is: 'impossible'; readonly error: BrokerError }
  /** The broker refused this message for now, for example because a queue is full: the channel stays open. */
  | { readonly is: 'nacked' }
  /**
   * The broker closed the channel, or the connection, over a message that was under way, and doesn't say which.
   * `isAlone` if there was only this one.
   */
  | { readonly is: 'refused'; readonly error: Error; readonly isAlone: boolean }
  /** The channel was closed before the message could be written. */
  | { readonly is: 'unsent' }
  /** The connection was lost while the message was under way: it isn't known whether it arrived. */
  | { readonly is: 'lost'; readonly error: Error }

const CONFIRMED: Sending = { is: 'confirmed' }

/**
 * The confirm channel through which messages leave. It ends when the broker closes it over a message; the connection
 * stays up.
 */
export class PublishLine {
  /**
   * How many mandatory messages were returned, by what tells them apart: the broker returns them just before it confirms
   * them, but may confirm others with the same id between the two.
   */
  private readonly returned = new Map<string, number>()
  /** Set while the socket's buffer is full. */
  private drained: Promise<void> | null = null
  private underWay = 0
  /** How many were under way when the channel was closed. */
  private lost = 0
  private refusal: Error | null = null
  private isClosed = false

  private constructor(
    private readonly channel: ConfirmChannel,
    readonly epoch: Epoch,
  ) {
    channel.on('return', ({ fields, properties }) => {
      const address = addressOf({ ...fields, properties })
      this.returned.set(address, (this.returned.get(address) ?? 0) + 1)
    })
    // Before amqplib's own listener, which fails what is under way. When the broker shuts down (320), the connection
    // tells of its end only after that.
    channel.prependListener('close', () => {
      this.isClosed = true
    })
  }

  /** @param onRefused called when the broker has closed the channel over a message */
  static async open(epoch: Epoch, onRefused: (line: PublishLine) => void): Promise<PublishLine> {
    const line: PublishLine = new PublishLine(
      await epoch.confirmChannel((error) => {
        if (!isRefusal(error)) {
          epoch.end(error)
          return
        }
        line.refusal = error
        line.lost = line.underWay
        onRefused(line)
      }),
      epoch,
    )
    return line
  }

  /** Resolves with the result once it is known. Never rejects. */
  async send(message: OutgoingMessage): Promise<Sending> {
    while (this.drained) await this.drained
    this.underWay++
    const sending = await this.confirmed(message)
    this.underWay--
    return sending
  }

  private confirmed(message: OutgoingMessage): Promise<Sending> {
    return new Promise((resolve) => {
      try {
        const isTaken = this.write(message, (refused) => resolve(refused ? this.failure(refused) : this.taken(message)))
        if (!isTaken) this.pause()
      } catch (thrown) {
        resolve(this.unwritten(coerceError(thrown)))
      }
    })
  }

  private write(message: OutgoingMessage, done: (refused: unknown) => void): boolean {
    const { headers, ...properties } = message.properties
    const options = { ...properties, headers: headersForAll(headers ?? {}), mandatory: message.mandatory ?? false }
    this.epoch.gather()
    return this.channel.publish(message.exchange, message.routingKey, message.content, options as Options.Publish, done)
  }

  private taken(message: OutgoingMessage): Sending {
    if (!this.wasReturned(message)) return CONFIRMED
    const { exchange, routingKey } = message
    const text = `no queue takes messages for ${routingKey || '""'} of exchange ${exchange || '""'}`
    return { is: 'impossible', error: forGood(text) }
  }

  private wasReturned(message: OutgoingMessage): boolean {
    if (this.returned.size === 0) return false
    const address = addressOf(message)
    const left = (this.returned.get(address) ?? 0) - 1
    if (left > 0) this.returned.set(address, left)
    else this.returned.delete(address)
    return left >= 0
  }

  private failure(thrown: unknown): Sending {
    const { ended } = this.epoch
    if (this.refusal) return { is: 'refused', error: this.refusal, isAlone: this.lost === 1 }
    if (!ended.aborted) return this.isClosed ? { is: 'lost', error: coerceError(thrown) } : { is: 'nacked' }
    const reason = coerceError(ended.reason)
    // What a message whose frames the broker can't take does to a connection. Other channels share it: even a message that was alone is only under suspicion.
    return isReply(reason, 'FRAME_ERROR', 'SYNTAX_ERROR')
      ? { is: 'refused', error: reason, isAlone: false }
      : { is: 'lost', error: coerceError(thrown) }
  }

  /** amqplib writes either all of a message or nothing. */
  private unwritten(error: Error): Sending {
    if (this.refusal || this.epoch.ended.aborted) return { is: 'unsent' }
    if (error.name === 'IllegalOperationError') return { is: 'lost', error }
    return { is: 'impossible', error: forGood(`the message can't be sent: ${error.message}`, error) }
  }

  private pause(): void {
    this.drained = new Promise((resolve) => {
      const done = (): void => {
        this.channel.off('drain', done)
        this.channel.off('close', done)
        this.drained = null
        resolve()
      }
      this.channel.on('drain', done)
      this.channel.on('close', done)
    })
  }
}

/** The error for a message that another try would not help. */
export function forGood(text: string, cause?: unknown): BrokerError {
  return new BrokerError(text, { retriable: false, cause })
}

/** Of messages with the same one the broker takes all or none. */
function addressOf({ exchange, properties, routingKey }: Omit<OutgoingMessage, 'content'>): string {
  // As bytes, which the broker gives back as they are: a lone surrogate has none of its own.
  return Buffer.from([exchange, routingKey, properties.correlationId].join('\0')).toString()
}

function isRefusal(error: Error): boolean {
  const { code } = error as Error & { readonly code?: unknown }
  return code === REPLY_CODE.CONTENT_TOO_LARGE || (typeof code === 'number' && code >= 400 && code < 500)
}
