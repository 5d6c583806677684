import type { ConfirmChannel, Options } from 'amqplib'
import { BrokerError, coerceError } from '../errors.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import type { Epoch } from './epoch.js'
import { headersForAll } from './headers.js'
import { isReply, REPLY_CODE } from './replyCode.js'

/** What became of a message that was handed to a `PublishLine`. */
export type Sending =
  /** The broker has it. */
  | { readonly is: 'confirmed' }
  /** No queue takes it, or it can't be written: another try would end in the same way. */
  | { readonly is: 'impossible'; readonly error: BrokerError }
  /** The broker refused this one at present, such as one for a queue that is full: the channel lives on. */
  | { readonly is: 'nacked' }
  /**
   * The broker closed the channel, or the connection, over a message that was under way, and doesn't say over which. `isAlone` when
   * there was no other.
   */
  | { readonly is: 'refused'; readonly error: Error; readonly isAlone: boolean }
  /** The channel was closed before it could be written. */
  | { readonly is: 'unsent' }
  /** The connection was lost with it: whether it arrived isn't known. */
  | { readonly is: 'lost'; readonly error: Error }

const CONFIRMED: Sending = { is: 'confirmed' }

/** The confirm channel through which messages leave. It ends when the broker closes it over one of them; its connection lives on. */
export class PublishLine {
  /** Ids of mandatory messages that came back: the broker tells that just before it confirms them. */
  private readonly returned = new Set<string>()
  /** Set while the socket's buffer is full. */
  private drained: Promise<void> | null = null
  private underWay = 0
  /** How many were under way when the channel was closed. */
  private lost = 0
  private refusal: Error | null = null

  private constructor(
    private readonly channel: ConfirmChannel,
    readonly epoch: Epoch,
  ) {
    channel.on('return', (message) => {
      this.returned.add(String(message.properties.correlationId))
    })
  }

  /** @param onRefused told that the broker has closed the channel over a message */
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

  /** Resolves once it is known what became of the message. Never rejects. */
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

  private taken({ exchange, properties, routingKey }: OutgoingMessage): Sending {
    if (!this.returned.delete(String(properties.correlationId))) return CONFIRMED
    const text = `no queue takes messages for ${routingKey || '""'} of exchange ${exchange || '""'}`
    return { is: 'impossible', error: forGood(text) }
  }

  private failure(thrown: unknown): Sending {
    const { ended } = this.epoch
    if (this.refusal) return { is: 'refused', error: this.refusal, isAlone: this.lost === 1 }
    if (!ended.aborted) return { is: 'nacked' }
    const reason = coerceError(ended.reason)
    // What a message whose frames the broker can't take does to a connection. Other channels share it: even a message that was alone is only under suspicion.
    return isReply(reason, 'FRAME_ERROR', 'SYNTAX_ERROR')
      ? { is: 'refused', error: reason, isAlone: false }
      : { is: 'lost', error: coerceError(thrown) }
  }

  /** amqplib writes all of a message or nothing. */
  private unwritten(error: Error): Sending {
    if (this.refusal || this.epoch.ended.aborted) return { is: 'unsent' }
    if (error.name === 'IllegalOperationError') return { is: 'lost', error }
    return { is: 'impossible', error: forGood(`the message can't be sent: ${error.message}`, error) }
  }

  private pause(): void {
    this.drained = new Promise((resolve) => {
      const done = (): void => {
        this.drained = null
        resolve()
      }
      this.channel.once('drain', done)
      this.channel.once('close', done)
    })
  }
}

/** The end of a message: another try would end in the same way. */
export function forGood(text: string, cause?: unknown): BrokerError {
  return new BrokerError(text, { retriable: false, cause })
}

function isRefusal(error: Error): boolean {
  const { code } = error as Error & { readonly code?: unknown }
  return code === REPLY_CODE.CONTENT_TOO_LARGE || (typeof code === 'number' && code >= 400 && code < 500)
}
