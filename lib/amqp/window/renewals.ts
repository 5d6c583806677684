import { QueueRefused } from '../../broker/intake.js'
import { BrokerError, coerceError } from '../../errors.js'
import type { Logger } from '../../ports.js'
import type { Epoch } from '../epoch.js'
import { isNoQueue, refusalOf } from '../refusal.js'
import type { QueueChannel } from './queueChannel.js'

/** After so many channels in a row that brought no message, a queue is left alone for a while. */
const MOST_FAILURES = 3
/** Of PRECONDITION_FAILED, in which the broker does not name the setting. */
const TIMED_OUT = /\btimed out\b/i
const ADVICE =
  "If they were held for longer than the broker's consumer_timeout (30 minutes unless set), raise that: for this queue by its argument or policy consumer-timeout, for all in rabbitmq.conf"

export interface RenewalsOptions {
  readonly epoch: Epoch
  readonly log: Logger
  /** Called when the broker has back what the queue's channel held: none of those deliveries is live any more. */
  onLost?(queue: string, error: Error): void
  /**
   * Called when a queue can't be consumed, and won't be until `resize` names it again.
   * @param wasConsumed whether the queue was consumed before
   */
  onRefused?(queue: string, refusal: QueueRefused, wasConsumed: boolean): void
  /** Declares a queue again after it was deleted. */
  declare(queue: string): Promise<void>
}

/**
 * Decides what happens to a queue whose channel has ended. If the queue was deleted, messages held from it run to their
 * end, since nothing can be delivered again. Otherwise the broker has them back, or gets them now. The broker may have
 * cancelled a consumer only because messages were held for too long (RabbitMQ 4.3 at its `consumer_timeout`), or the
 * queue may have been deleted and made again since.
 */
export class Renewals {
  private readonly underWay = new Set<string>()
  /** Channels in a row through which nothing came, by queue. */
  private readonly failures = new Map<string, number>()

  constructor(private readonly options: RenewalsOptions) {}

  /** Whether the queue must not get another channel yet. */
  has(queue: string): boolean {
    return this.underWay.has(queue)
  }

  /** Records that a message came from the queue. */
  works(queue: string): void {
    this.failures.delete(queue)
  }

  /**
   * Settles what the channel held, and prepares the queue for another one. Never throws: an error that can't be handled
   * this way ends the epoch.
   * @param error why the broker closed the channel; null if it has cancelled a consumer
   * @param isOver called before the queue is declared again: whether none of this is needed any more
   * @returns whether the queue is to be consumed again
   */
  async renew(channel: QueueChannel, error: Error | null, isOver: () => boolean): Promise<boolean> {
    const { epoch } = this.options
    this.underWay.add(channel.queue)
    try {
      await this.release(channel, error)
      epoch.ended.throwIfAborted()
      return !isOver() && (await this.prepare(channel, error))
    } catch (thrown) {
      epoch.end(coerceError(thrown))
      void channel.close('lost')
      return false
    } finally {
      this.underWay.delete(channel.queue)
    }
  }

  private async release(channel: QueueChannel, error: Error | null): Promise<void> {
    const { log, onLost } = this.options
    const { queue } = channel
    if (error === null) log.warning(`The broker cancelled the consumers of ${queue}. Subscribing again...`)
    else if (channel.fate === 'gone') log.warning(`The queue ${queue} was deleted. Subscribing again...`)
    const isGone = channel.fate === 'gone' || (error === null && (await this.isGone(queue)))
    const { held } = channel
    const closed = channel.close(isGone ? 'gone' : 'lost')
    if (held > 0 && channel.fate === 'lost') onLost?.(queue, tookBack(queue, held, error))
    await closed
  }

  private async prepare(channel: QueueChannel, error: Error | null): Promise<boolean> {
    const { declare, epoch, onRefused } = this.options
    const { queue } = channel
    const failures = (this.failures.get(queue) ?? 0) + 1
    this.failures.set(queue, failures)
    try {
      if (error && channel.fate === 'lost') throw error
      if (failures > MOST_FAILURES) throw error ?? new BrokerError('the broker cancels its consumers again and again')
      await declare(queue)
      return true
    } catch (thrown) {
      const refusal = refusalOf(thrown, epoch)
      if (!refusal && epoch.ended.aborted) throw thrown
      this.failures.delete(queue)
      onRefused?.(queue, refusal ?? new QueueRefused(coerceError(thrown).message, false, thrown), channel.wasOpen)
      return false
    }
  }

  private async isGone(queue: string): Promise<boolean> {
    const { epoch } = this.options
    try {
      await epoch.scratch((channel) => channel.checkQueue(queue))
      return false
    } catch (thrown) {
      epoch.ended.throwIfAborted()
      return isNoQueue(thrown)
    }
  }
}

function tookBack(queue: string, count: number, error: Error | null): BrokerError {
  if (error) return new BrokerError(TIMED_OUT.test(error.message) ? `${error.message}. ${ADVICE}` : error.message)
  return new BrokerError(
    `the broker cancelled a consumer of ${queue} and took back the messages that it held: ${count}, unless the queue was deleted and made again. ${ADVICE}`,
  )
}
