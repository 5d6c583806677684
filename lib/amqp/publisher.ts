import { PublishState } from '../broker/publishState.js'
import { pause } from '../clock.js'
import type { Component } from '../component.js'
import { BrokerError, coerceError } from '../errors.js'
import type { Publisher, PublishTries } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import type { StopLimit } from '../stopLimit.js'
import { Connection, type ConnectionOptions } from './connection.js'
import type { Epoch } from './epoch.js'
import { NextLine } from './nextLine.js'
import { forGood, PublishLine } from './publishLine.js'
import { Quarantine } from './quarantine.js'
import { endedBy } from './refusal.js'

interface PublisherOptions extends Omit<ConnectionOptions, 'onUp' | 'onDown' | 'onFailed' | 'onBlocked' | 'gaveUp'> {
  /** Limits how long a message waits for the broker once the worker stops. */
  readonly stopLimit?: StopLimit
}

const NACK_PAUSE_MS = 100

/**
 * Publishes with confirms, on a connection of its own: a broker short of memory stops reading from connections that publish,
 * and must not stop reading our acks with them. It connects when first used.
 */
export class AmqpPublisher implements Publisher, Component {
  readonly name = 'publisher'
  /** The state of publishing. */
  readonly state = new PublishState()
  /** Messages that the broker hasn't confirmed yet. */
  held = 0
  private readonly connection: Connection
  private readonly quarantine = new Quarantine()
  private readonly lines: NextLine

  constructor(private readonly options: PublisherOptions) {
    this.connection = new Connection({
      ...options,
      onUp: async (epoch) => this.up(epoch),
      onDown: async (epoch) => {
        this.lines.set(null)
        this.state.end('blocked')
        if (!this.lines.isOver) this.state.begin('lost', epoch.ended.reason)
      },
      onFailed: (error) => this.state.begin('lost', error),
      onPause: (error) => this.lines.failed(error),
      onBlocked: (reason) => {
        if (reason === null) this.state.end('blocked')
        else this.state.begin('blocked', new Error(`the broker has blocked this connection: ${reason}`))
      },
      // What waits has failed; it connects again for the next message.
      gaveUp: (error) => this.lines.rest(error),
    })
    this.lines = new NextLine(this.connection, options.clock)
  }

  start(): Promise<void> {
    return this.connection.start()
  }

  async stop(): Promise<void> {
    this.lines.end(new BrokerError('the publisher was closed'))
    await this.connection.stop()
  }

  /** The epoch that the next message would use; null without a connection. */
  get present(): Epoch | null {
    return this.lines.present?.epoch ?? null
  }

  /** The present epoch, or the next one; for declarations before a publish. */
  async epoch(signal?: AbortSignal, tries?: PublishTries): Promise<Epoch> {
    return (await this.bounded(this.lines.get(signal, tries))).epoch
  }

  /**
   * Runs an action on the publishing connection; again on the next one, if it is lost meanwhile. Others share the
   * connection: the action is what the broker has ended it for only if that happens to the next one, too.
   * @throws what `act` throws while the connection lives, what `epoch` throws, and that refusal
   */
  async onEpoch<T>(act: (epoch: Epoch) => Promise<T>, signal?: AbortSignal, tries?: PublishTries): Promise<T> {
    let isSuspect = false
    for (;;) {
      const epoch = await this.epoch(signal, tries)
      try {
        return await act(epoch)
      } catch (thrown) {
        if (!epoch.ended.aborted) throw thrown
        const refusal = endedBy(epoch)
        const isRefused = refusal !== null && !refusal.mayPass
        if (isSuspect && isRefused) throw forGood(`the broker refused it: ${refusal.message}`, refusal)
        isSuspect = isRefused
        if (tries) await this.bounded(this.lines.again(tries, lost(thrown)))
      }
    }
  }

  /** Called when the broker is known to be up: connects at once, if between two attempts. */
  retryNow(): void {
    this.connection.retryNow()
  }

  async publish(message: OutgoingMessage, signal?: AbortSignal, tries?: PublishTries): Promise<void> {
    this.held++
    try {
      await this.bounded(this.publishAgain(message, signal, tries))
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
   * Tries until the broker has the message. Whether a lost message had arrived can't be known, so it is sent again:
   * sending twice is allowed, losing it is not. The loop ends with a confirm; a message that can't be written; a
   * message that the broker returns, or refuses when it is sent alone; the signal; its tries; a stop.
   */
  private async publishAgain(message: OutgoingMessage, signal?: AbortSignal, tries?: PublishTries): Promise<void> {
    let isSuspect = false
    for (;;) {
      let leave = isSuspect ? await this.quarantine.enter() : null
      const line = await this.lines.get(signal, tries).catch((thrown) => {
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
        const error = new BrokerError('the broker refused the message')
        if (tries) await this.lines.again(tries, error)
        this.refused(message, error)
        await pause(this.options.clock, NACK_PAUSE_MS)
        continue
      }
      leave?.()
      if (sending.is === 'confirmed') return
      if (sending.is === 'impossible') throw sending.error
      if (sending.is === 'lost') {
        line.epoch.end(sending.error)
        if (tries) await this.lines.again(tries, lost(sending.error))
      }
      if (sending.is === 'refused') {
        if (isSuspect || sending.isAlone) throw refusalOf(message, sending.error)
        isSuspect = true
      }
    }
  }

  private refused(message: OutgoingMessage, error: BrokerError): void {
    const to = message.routingKey || message.exchange
    if (this.state.state === 'closed')
      this.options.log.warning(`publisher: ${error.message} for ${to}; it is tried again`)
    this.state.begin(message, error)
  }

  private async up(epoch: Epoch): Promise<void> {
    const line = await PublishLine.open(epoch, (refused) => {
      if (this.lines.present === refused) this.lines.set(null)
      // At once, while the number of the closed channel is still taken: frames of that one may wait to be written.
      this.up(epoch).catch((thrown) => epoch.end(thrown))
    })
    this.state.end('lost')
    this.lines.set(line)
  }
}

/** The error for a message that was under way: whether it has arrived isn't known. */
function lost(thrown: unknown): BrokerError {
  const cause = coerceError(thrown)
  return new BrokerError(`the connection to the broker was lost: ${cause.message}`, { cause })
}

function refusalOf({ exchange }: OutgoingMessage, cause: Error): BrokerError {
  const { message } = cause
  const isMissing = message.includes(`no exchange '${exchange}'`)
  return forGood(isMissing ? `there is no exchange ${exchange}` : `the broker refused the message: ${message}`, cause)
}
