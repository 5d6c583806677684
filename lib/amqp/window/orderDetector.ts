import { hasKeyHeader } from '../../app/orderKey.js'
import { BrokerError } from '../../errors.js'
import type { Clock, Delivery, Logger } from '../../ports.js'
import type { Epoch } from '../epoch.js'
import type { ConsumedQueue } from '../queueKind.js'

/** Milliseconds between two checks whether the runs that would be repeated have ended. */
const LOOK_MS = 20

export interface OrderDetectorOptions {
  readonly clock: Clock
  readonly log: Logger
  /** The present runs. */
  readonly running: Iterable<{ readonly acksLate: boolean; readonly delivery: Pick<Delivery, 'live'> }>
  /** Whether a task or a setting asks for an order from the start. */
  readonly ordered: boolean
}

/**
 * Whether quorum queues need a window of constant size. A task's `orderBy` or `task_order_by` tell so before any message comes; a
 * header `order_key` only when the first one is there, and the window, which moves by then, may have broken its order already. That
 * message is not taken in, nor is any after it: the connection is renewed, which returns them all at once and in order, and the next
 * window is constant. What runs and would be repeated by that is waited for.
 */
export class OrderDetector {
  private known: boolean

  constructor(private readonly options: OrderDetectorOptions) {
    this.known = options.ordered
  }

  get ordered(): boolean {
    return this.known
  }

  /**
   * @param kinds the queues of this epoch
   * @returns what says of each delivery of this epoch whether it may be taken in
   */
  watch(
    epoch: Pick<Epoch, 'end' | 'ended'>,
    kinds: ReadonlyMap<string, Pick<ConsumedQueue, 'breaksOrder'>>,
  ): (delivery: Delivery) => boolean {
    let renewing = false
    return ({ properties, queue }) => {
      if (renewing) return false
      if (!kinds.get(queue)?.breaksOrder || !hasKeyHeader(properties.headers)) return true
      renewing = true
      this.known = true
      this.options.log.warning(
        `Messages of the quorum queue ${queue} carry the header order_key: the connection is renewed, with a window that keeps their order. To have it from the start, set task_order_by to { '*': 'headers.order_key' }`,
      )
      this.renew(epoch)
      return false
    }
  }

  private renew(epoch: Pick<Epoch, 'end' | 'ended'>): void {
    if (epoch.ended.aborted) return
    const { clock, running } = this.options
    for (const { acksLate, delivery } of running) {
      if (!acksLate || !delivery.live) continue
      clock.setTimer(() => this.renew(epoch), LOOK_MS)
      return
    }
    epoch.end(new BrokerError('a window of constant size is needed'))
  }
}
