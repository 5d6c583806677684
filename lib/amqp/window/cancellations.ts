import { BrokerError, coerceError } from '../../errors.js'
import type { Logger } from '../../ports.js'
import type { Epoch } from '../epoch.js'

const NOT_FOUND = 404

export interface CancellationsOptions {
  readonly epoch: Epoch
  readonly log: Logger
  /** Declares a queue again. */
  declare(queue: string): Promise<void>
}

/** What the consumers of a queue held when the broker cancelled them, until it is known whether the broker has that back. */
interface Doubt {
  unsettled: number
  readonly known: Promise<void>
}

/**
 * Consumers that the broker has cancelled. Either their queue is gone, deleted or with its node: it is declared again, and the other
 * queues aren't touched. Or it is there all the same, and has back what they held (RabbitMQ 4.3 does so at its `consumer_timeout`): only
 * a new connection knows the order of that again. Until it is known which, nothing that they held is settled, so that nothing runs that
 * comes after it in its order.
 */
export class Cancellations {
  /** Queues that get no consumers until they are declared again. */
  readonly paused = new Set<string>()
  private readonly doubts = new Map<string, Doubt>()

  constructor(private readonly options: CancellationsOptions) {}

  /** What a message of the queue, whose consumer is gone, waits for to be settled; null for nothing. Never rejects. */
  doubtOf(queue: string): Promise<void> | null {
    return this.doubts.get(queue)?.known ?? null
  }

  /**
   * Ends the epoch if the queue has its messages back.
   * @param unsettled messages that the consumer held
   * @returns a promise that resolves with whether consumers are to be opened again. Never rejects
   */
  async add(queue: string, unsettled: number): Promise<boolean> {
    const { declare, epoch, log } = this.options
    const doubt = this.doubts.get(queue)
    if (doubt) doubt.unsettled += unsettled
    if (this.paused.has(queue)) return false
    this.paused.add(queue)
    log.warning(`The broker cancelled the consumers of ${queue}. Subscribing again...`)
    try {
      await this.lookInto(queue, unsettled)
      epoch.ended.throwIfAborted()
      await declare(queue)
      this.paused.delete(queue)
      return true
    } catch (thrown) {
      epoch.end(coerceError(thrown))
      return false
    }
  }

  private lookInto(queue: string, unsettled: number): Promise<void> {
    const known = this.isThere(queue)
      .then((isThere) => {
        if (isThere && doubt.unsettled > 0) throw new BrokerError(tookBack(queue, doubt.unsettled))
      })
      .catch((thrown) => this.options.epoch.end(coerceError(thrown)))
      .finally(() => this.doubts.delete(queue))
    const doubt: Doubt = { unsettled, known }
    this.doubts.set(queue, doubt)
    return known
  }

  private async isThere(queue: string): Promise<boolean> {
    const { epoch } = this.options
    return epoch
      .scratch((channel) => channel.checkQueue(queue))
      .then(
        () => true,
        (thrown) => {
          epoch.ended.throwIfAborted()
          return (thrown as { readonly code?: unknown }).code !== NOT_FOUND
        },
      )
  }
}

function tookBack(queue: string, count: number): string {
  return `the broker cancelled a consumer of ${queue} and took back the messages that it held: ${count}. If they were held for longer than the broker's consumer_timeout (30 minutes unless set), raise that: for this queue by its argument or policy consumer-timeout, for all in rabbitmq.conf`
}
