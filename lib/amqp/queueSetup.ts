import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import type { QueueSpec } from '../settings/queues.js'
import { bindIfAllowed, type DelayQueues } from './delayed.js'
import type { Epoch } from './epoch.js'
import type { ConsumedQueue, QueueKind } from './queueKind.js'
import { streamRefused } from './refusal.js'
import { declareQueue } from './topology.js'

export interface QueueSetupOptions {
  readonly delays: DelayQueues
  readonly prefetch: number
  /** The most slots there may ever be: the size of a window that must not change. */
  readonly maxSlots: number
  readonly log: Logger
  /** Whether any task has an order to keep. */
  ordered(): boolean
}

/** Declares the queues of an epoch, and determines how each of them is consumed. */
export class QueueSetup {
  /** The queues of this epoch. */
  kinds = new Map<string, ConsumedQueue>()
  private delaysPrepared = false

  constructor(private readonly options: QueueSetupOptions) {}

  /** Starts a new epoch, of whose queues nothing is known. */
  begin(): void {
    this.kinds = new Map()
  }

  /** Declares a queue, which may differ from the one of the same name before. @throws the broker's refusal */
  async declare(epoch: Epoch, queue: QueueSpec): Promise<void> {
    const { log, ordered, prefetch } = this.options
    const { kinds } = this
    const kind = await declareQueue(epoch, queue, log, prefetch > 0 && ordered())
    if (kind.type === 'stream') throw streamRefused(queue.name)
    kinds.set(queue.name, this.consumed(kind))
    await bindIfAllowed(epoch, queue, log)
  }

  /**
   * Producers of Celery 5.5 and later publish messages for a quorum queue that are due later through the delay queues,
   * and rely on a worker to have declared them. The broker keeps them: after the first time nothing waits for the
   * declaration.
   */
  async prepareDelays(epoch: Epoch): Promise<void> {
    const { delays, log } = this.options
    if (![...this.kinds.values()].some(({ type }) => type === 'quorum')) return
    const declaring = delays.declare(epoch).catch((thrown) => {
      if (epoch.ended.aborted) return
      log.warning(
        `Tasks that Celery 5.5 and later send to a quorum queue with a countdown or an ETA are lost until the delay queues can be declared: ${coerceError(thrown).message}`,
      )
    })
    if (!this.delaysPrepared) await declaring
    this.delaysPrepared = true
  }

  /**
   * A quorum queue keeps its order only while the number of its consumers stays the same. If it has a single active
   * consumer, the other consumers would get nothing.
   */
  private consumed(kind: QueueKind): ConsumedQueue {
    const { maxSlots, ordered, prefetch } = this.options
    const isQuorum = kind.type === 'quorum'
    const isFixed = prefetch > 0 && (kind.singleActive || (isQuorum && ordered()))
    return { ...kind, fixed: isFixed ? maxSlots * prefetch : null, breaksOrder: prefetch > 0 && isQuorum && !isFixed }
  }
}
