import type { Channel } from 'amqplib'
import { BrokerError, coerceError } from '../../errors.js'
import type { Logger } from '../../ports.js'
import type { OutgoingMessage } from '../../protocol/amqp.js'
import type { Epoch } from '../epoch.js'
import { headersForAll } from '../headers.js'

/** The most replies that wait for a connection; long before there are so many, the callers have stopped waiting. */
const MOST_WAITING = 1000

export interface ReplyChannelOptions {
  /** An epoch of a connection that doesn't consume: the broker may stop reading from one that publishes. */
  connect(signal: AbortSignal): Promise<Epoch>
  readonly log: Logger
}

/**
 * Sends the replies of remote control, each once and unconfirmed, on a channel of its own: the sender of a command
 * chooses where the reply goes, and the broker's refusal of that place must not delay results and retries. A reply that
 * can't be sent is dropped: only the caller misses it, and can ask again.
 */
export class ReplyChannel {
  /** Replies that were dropped. */
  dropped = 0
  private waiting = 0
  private open: { readonly epoch: Epoch; readonly channel: Promise<Channel> } | null = null
  private isCongested = false

  constructor(private readonly options: ReplyChannelOptions) {}

  /** Never throws. @param signal aborted when it is too late for the reply */
  async send(message: OutgoingMessage, signal: AbortSignal): Promise<void> {
    if (this.waiting >= MOST_WAITING) return this.drop('too many replies wait for the connection to the broker')
    this.waiting++
    try {
      const channel = await this.channel(signal)
      if (this.isCongested) throw new BrokerError('the connection to the broker is congested')
      const { headers, ...properties } = message.properties
      const options = { ...properties, headers: headersForAll(headers ?? {}) }
      this.isCongested = !channel.publish(message.exchange, message.routingKey, message.content, options)
    } catch (thrown) {
      this.drop(coerceError(thrown).message)
    } finally {
      this.waiting--
    }
  }

  private async channel(signal: AbortSignal): Promise<Channel> {
    const epoch = await this.options.connect(signal)
    if (this.open?.epoch !== epoch) {
      const opening = { epoch, channel: this.openOn(epoch) }
      this.open = opening
      this.isCongested = false
      opening.channel.catch(() => {
        if (this.open === opening) this.open = null
      })
    }
    return this.open.channel
  }

  private async openOn(epoch: Epoch): Promise<Channel> {
    const channel = await epoch.lastingChannel((error) => this.drop(error.message))
    channel.on('drain', () => {
      this.isCongested = false
    })
    channel.on('close', () => {
      if (this.open?.epoch === epoch) this.open = null
    })
    return channel
  }

  private drop(reason: string): void {
    this.dropped++
    this.options.log.warning(`pidbox: a reply was dropped: ${reason}`)
  }
}
