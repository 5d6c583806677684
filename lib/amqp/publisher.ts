import { setMaxListeners } from 'node:events'
import { PublishState } from '../broker/publishState.js'
import { pause } from '../clock.js'
import type { Component } from '../component.js'
import { BrokerError } from '../errors.js'
import { type Deferred, deferred } from '../listeners.js'
import type { Publisher } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import type { StopLimit } from '../stopLimit.js'
import { Connection, type ConnectionOptions } from './connection.js'
import type { Epoch } from './epoch.js'
import { forGood, PublishLine } from './publishLine.js'
import { Quarantine } from './quarantine.js'

interface PublisherOptions extends Omit<ConnectionOptions, 'onUp' | 'onDown' | 'onFailed' | 'onBlocked' | 'gaveUp'> {
  /** Bounds how long a message waits for the broker once the worker stops. */
  readonly stopLimit?: StopLimit
}

const NACK_PAUSE_MS = 100

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
  private readonly quarantine = new Quarantine()
  private line: PublishLine | null = null
  /** Set while somebody waits for the next line. */
  private next: Deferred<PublishLine> | null = null
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
        else this.state.begin('blocked', new Error(`the broker has blocked this connection: ${reason}`))
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

  /** The epoch on which the next message would go out; null while there is no connection. */
  get present(): Epoch | null {
    return this.failure || !this.line || this.line.epoch.ended.aborted ? null : this.line.epoch
  }

  /** The present epoch, or the next one; for declarations that go before a publish. */
  async epoch(signal?: AbortSignal): Promise<Epoch> {
    return (await this.bounded(this.ready(signal))).epoch
  }

  /** The broker is known to be there: connects at once, if it is between two attempts. */
  retryNow(): void {
    this.connection.retryNow()
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

  /**
   * Until the broker has it. Whether a lost message had arrived can't be known, so it goes out again: twice is allowed, never is not. What
   * ends this: a confirm; what can't be written; what the broker returns, or refuses when it is sent alone; the signal; a stop.
   */
  private async publishAgain(message: OutgoingMessage, signal?: AbortSignal): Promise<void> {
    let isSuspect = false
    for (;;) {
      let leave = isSuspect ? await this.quarantine.enter() : null
      const line = await this.ready(signal).catch((thrown) => {
        leave?.()
        throw thrown
      })
      if (!leave && !this.quarantine.isEmpty) {
        await this.quarantine.over()
        continue
      }
      const sending = await line.send(message)
      if (sending.is === 'nacked') {
        isSuspect = false
        leave?.()
        leave = null
        this.refused(message)
        await pause(this.options.clock, NACK_PAUSE_MS)
        continue
      }
      leave?.()
      if (sending.is === 'confirmed') return
      if (sending.is === 'impossible') throw sending.error
      if (sending.is === 'lost') line.epoch.end(sending.error)
      if (sending.is === 'refused') {
        if (isSuspect || sending.isAlone) throw refusalOf(message, sending.error)
        isSuspect = true
      }
    }
  }

  private refused(message: OutgoingMessage): void {
    const error = new BrokerError('the broker refused the message')
    const to = message.routingKey || message.exchange
    if (this.state.state === 'closed')
      this.options.log.warning(`publisher: ${error.message} for ${to}; it is tried again until it is taken`)
    this.state.begin(message, error)
  }

  private async up(epoch: Epoch): Promise<void> {
    const line = await PublishLine.open(epoch, (refused) => {
      if (this.line === refused) this.line = null
      // At once, while the number of the closed channel is still taken: frames of that one may wait to be written.
      this.up(epoch).catch((thrown) => epoch.end(thrown))
    })
    this.line = line
    this.state.end('lost')
    this.next?.resolve(line)
    this.next = null
  }

  private fail(error: Error): void {
    this.failure = error
    this.next?.reject(error)
    this.next = null
  }

  private ready(signal?: AbortSignal): Promise<PublishLine> {
    if (this.failure) return Promise.reject(this.failure)
    if (this.line && !this.line.epoch.ended.aborted) return Promise.resolve(this.line)
    if (signal?.aborted) return Promise.reject(givenUp(signal))
    if (!this.next) {
      this.next = deferred()
      // Those who waited may have given up before it fails.
      this.next.promise.catch(() => undefined)
    }
    void this.connection.start()
    const { promise } = this.next
    return signal ? unlessAborted(promise, signal) : promise
  }
}

/** The same wait, given up with the signal, which may outlive it by far and must not remember it. */
function unlessAborted<T>(wait: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(givenUp(signal))
    // A thousand messages may wait on the signal of one worker; that is no leak.
    setMaxListeners(0, signal)
    signal.addEventListener('abort', giveUp, { once: true })
    const leave = (): void => signal.removeEventListener('abort', giveUp)
    wait.finally(leave).then(resolve, reject)
  })
}

function givenUp({ reason }: AbortSignal): BrokerError {
  return new BrokerError('gave up waiting for the broker', { cause: reason })
}

function refusalOf({ exchange }: OutgoingMessage, cause: Error): BrokerError {
  const { message } = cause
  const isMissing = message.includes(`no exchange '${exchange}'`)
  return forGood(isMissing ? `there is no exchange ${exchange}` : `the broker refused the message: ${message}`, cause)
}
