import { setMaxListeners } from 'node:events'
import type { ConfirmChannel, Options } from 'amqplib'
import type { Component } from '../component.js'
import { BrokerError, coerceError } from '../errors.js'
import type { OutgoingMessage, Publisher } from '../ports.js'
import type { StopLimit } from '../stopLimit.js'
import { Connection, type ConnectionOptions } from './connection.js'
import type { Epoch } from './epoch.js'
import { headersForAll } from './headers.js'
import { PublishState } from './publishState.js'

interface PublisherOptions extends Omit<ConnectionOptions, 'onUp' | 'onDown' | 'onFailed' | 'onBlocked' | 'gaveUp'> {
  /** Bounds how long a message waits for the broker once the worker stops. */
  readonly stopLimit?: StopLimit
}

/** The confirm channel of one epoch, and the epoch itself, for what has to be declared before publishing. */
interface Line {
  readonly channel: ConfirmChannel
  readonly epoch: Epoch
  /** Ids of mandatory messages that came back: the broker tells that just before it confirms them. */
  readonly returned: Set<string>
  /** Set while the socket's buffer is full. */
  drained: Promise<void> | null
  /** Why the broker closed the channel. */
  closed: Error | null
}

/** RabbitMQ refused one message, such as one for a queue that is full: the channel lives on. */
class Nacked extends Error {}

const NACK_PAUSE_MS = 100
const NOT_FOUND = 404

/**
 * Publishes with confirms, on a connection of its own: a broker short of memory stops reading from connections that publish,
 * and must not stop reading our acks with them. It connects when first used.
 */
export class AmqpPublisher implements Publisher, Component {
  readonly name = 'publisher'
  /** How publishing goes. */
  readonly state = new PublishState()
  /** Messages that the broker hasn't confirmed yet. */
  held = 0
  private readonly connection: Connection
  private line: Line | null = null
  private waiting: Array<{ resolve: (line: Line) => void; reject: (error: Error) => void }> = []
  private failure: Error | null = null

  constructor(private readonly options: PublisherOptions) {
    this.connection = new Connection({
      ...options,
      onUp: async (epoch) => this.up(epoch),
      onDown: async (epoch) => {
        this.line = null
        this.state.end('blocked')
        if (!this.failure) this.state.begin('lost', epoch.ended.reason)
      },
      onFailed: (error) => this.state.begin('lost', error),
      onBlocked: (reason) => {
        if (reason === null) this.state.end('blocked')
        else this.state.begin('blocked', new Error(`the broker takes no messages from this connection: ${reason}`))
      },
      gaveUp: (error) => this.fail(new BrokerError(`the broker can't be reached: ${error.message}`, { cause: error })),
    })
  }

  start(): Promise<void> {
    return this.connection.start()
  }

  async stop(): Promise<void> {
    this.fail(new BrokerError('the publisher was closed'))
    await this.connection.stop()
  }

  /** The present epoch, or the next one; for declarations that go before a publish. */
  async epoch(signal?: AbortSignal): Promise<Epoch> {
    return (await this.bounded(this.ready(signal))).epoch
  }

  /** The broker is known to be there: connects at once, if it is between two attempts. */
  hurry(): void {
    this.connection.hurry()
  }

  async publish(message: OutgoingMessage, signal?: AbortSignal): Promise<void> {
    this.held++
    try {
      await this.bounded(this.publishAgain(message, signal))
    } finally {
      this.held--
      this.state.end(message)
    }
  }

  private bounded<T>(wait: Promise<T>): Promise<T> {
    const { stopLimit } = this.options
    return stopLimit?.within(wait, () => 'the broker did not take the message before the worker stopped') ?? wait
  }

  private async publishAgain(message: OutgoingMessage, signal?: AbortSignal): Promise<void> {
    for (;;) {
      const line = await this.ready(signal)
      try {
        await this.send(line, message)
        return
      } catch (thrown) {
        const error = coerceError(thrown)
        if (error instanceof BrokerError && !error.retriable) throw error
        if (isMissing(line.closed, message.exchange)) {
          throw new BrokerError(`there is no exchange ${message.exchange}`, { retriable: false, cause: line.closed })
        }
        // Whether a lost message had arrived can't be known, so it goes out again: twice is allowed, never is not.
        if (error instanceof Nacked) {
          this.refused(message, error)
          await this.pause()
        } else line.epoch.end(error)
      }
    }
  }

  private refused(message: OutgoingMessage, error: Error): void {
    const to = message.routingKey || message.exchange
    if (this.state.state === 'closed')
      this.options.log.warning(`publisher: ${error.message} for ${to}; it is tried again until it is taken`)
    this.state.begin(message, error)
  }

  private async up(epoch: Epoch): Promise<void> {
    const channel = await epoch.confirmChannel()
    const line: Line = { channel, epoch, returned: new Set(), drained: null, closed: null }
    channel.on('error', (error) => {
      line.closed = error
    })
    channel.on('return', (message) => {
      line.returned.add(String(message.properties.correlationId))
    })
    this.line = line
    this.state.end('lost')
    for (const waiter of this.waiting.splice(0)) waiter.resolve(line)
  }

  private fail(error: Error): void {
    this.failure = error
    for (const waiter of this.waiting.splice(0)) waiter.reject(error)
  }

  private ready(signal?: AbortSignal): Promise<Line> {
    if (this.failure) return Promise.reject(this.failure)
    if (this.line && !this.line.epoch.ended.aborted) return Promise.resolve(this.line)
    if (signal?.aborted)
      return Promise.reject(new BrokerError('gave up waiting for the broker', { cause: signal.reason }))
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.waiting = this.waiting.filter((other) => other !== waiter)
        reject(new BrokerError('gave up waiting for the broker', { cause: signal?.reason }))
      }
      // The signal outlives the wait, and must not remember it.
      const settled = (): void => signal?.removeEventListener('abort', giveUp)
      const waiter = {
        resolve: (line: Line): void => {
          settled()
          resolve(line)
        },
        reject: (error: Error): void => {
          settled()
          reject(error)
        },
      }
      this.waiting.push(waiter)
      if (signal) {
        // A thousand messages may wait on the signal of one worker; that is no leak.
        setMaxListeners(0, signal)
        signal.addEventListener('abort', giveUp, { once: true })
      }
      void this.connection.start()
    })
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      this.options.clock.setTimer(resolve, NACK_PAUSE_MS)
    })
  }

  private async send(line: Line, message: OutgoingMessage): Promise<void> {
    while (line.drained) await line.drained
    const id = String(message.properties.correlationId)
    await new Promise<void>((resolve, reject) => {
      const { headers, ...properties } = message.properties
      const options = {
        ...properties,
        headers: headersForAll(headers ?? {}),
        mandatory: message.mandatory ?? false,
      } as Options.Publish
      line.epoch.gather()
      const flowing = line.channel.publish(
        message.exchange,
        message.routingKey,
        message.content,
        options,
        (refused) => {
          if (refused)
            reject(
              line.epoch.ended.aborted || line.closed
                ? coerceError(refused)
                : new Nacked('the broker refused the message'),
            )
          else if (line.returned.delete(id)) {
            reject(
              new BrokerError(
                `no queue takes messages for ${message.routingKey || '""'} of exchange ${message.exchange || '""'}`,
                {
                  retriable: false,
                },
              ),
            )
          } else resolve()
        },
      )
      if (!flowing) {
        line.drained = new Promise((drained) => {
          const done = (): void => {
            line.drained = null
            drained()
          }
          line.channel.once('drain', done)
          line.channel.once('close', done)
        })
      }
    })
  }
}

function isMissing(closed: Error | null, exchange: string): boolean {
  return (
    closed !== null &&
    (closed as Error & { code?: number }).code === NOT_FOUND &&
    closed.message.includes(`no exchange '${exchange}'`)
  )
}
