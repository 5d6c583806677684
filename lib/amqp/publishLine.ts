import { type ConfirmChannel, IllegalOperationError, type Options } from 'amqplib'
import { BrokerError, coerceError } from '../errors.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import type { Epoch } from './epoch.js'
import { headersForAll } from './headers.js'

/** The broker refused one message at present, such as one for a queue that is full: the channel lives on. */
export class Nacked extends Error {}

/**
 * The broker closed the channel, or the connection, over a message that was under way, and doesn't say over which.
 * `isAlone` when there was no other.
 */
export class Refused extends Error {
  constructor(
    cause: Error,
    readonly isAlone: boolean,
  ) {
    super(cause.message, { cause })
  }
}

/** The channel was closed before the message could be written. */
export class NotSent extends Error {}

/** FRAME_ERROR and SYNTAX_ERROR: what a message whose frames the broker can't take does to a connection. */
const OF_ONE_MESSAGE: ReadonlySet<unknown> = new Set([501, 502])
const CONTENT_TOO_LARGE = 311

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

  /** Resolves once the broker has the message. @throws BrokerError if it never will; Nacked, Refused, NotSent; else the connection is lost */
  async send(message: OutgoingMessage): Promise<void> {
    while (this.drained) await this.drained
    this.underWay++
    try {
      await this.confirmed(message)
    } finally {
      this.underWay--
    }
  }

  private confirmed(message: OutgoingMessage): Promise<void> {
    const { exchange, routingKey } = message
    const id = String(message.properties.correlationId)
    return new Promise<void>((resolve, reject) => {
      const done = (refused: unknown): void => {
        if (refused) reject(this.failure(refused))
        else if (this.returned.delete(id)) {
          reject(forGood(`no queue takes messages for ${routingKey || '""'} of exchange ${exchange || '""'}`))
        } else resolve()
      }
      try {
        if (!this.write(message, done)) this.pause()
      } catch (thrown) {
        reject(this.unsent(coerceError(thrown)))
      }
    })
  }

  private write(message: OutgoingMessage, done: (refused: unknown) => void): boolean {
    const { headers, ...properties } = message.properties
    const options = { ...properties, headers: headersForAll(headers ?? {}), mandatory: message.mandatory ?? false }
    this.epoch.gather()
    return this.channel.publish(message.exchange, message.routingKey, message.content, options as Options.Publish, done)
  }

  private failure(thrown: unknown): Error {
    const { ended } = this.epoch
    if (this.refusal) return new Refused(this.refusal, this.lost === 1)
    if (!ended.aborted) return new Nacked('the broker refused the message')
    const reason = coerceError(ended.reason) as Error & { readonly code?: unknown }
    // Other channels share the connection: even a message that was alone is only under suspicion.
    return OF_ONE_MESSAGE.has(reason.code) ? new Refused(reason, false) : coerceError(thrown)
  }

  /** amqplib writes all of a message or nothing. */
  private unsent(error: Error): Error {
    if (this.refusal || this.epoch.ended.aborted) return new NotSent(error.message)
    return error instanceof IllegalOperationError
      ? error
      : forGood(`the message can't be sent: ${error.message}`, error)
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
  return code === CONTENT_TOO_LARGE || (typeof code === 'number' && code >= 400 && code < 500)
}
