import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import type { QueueSpec } from '../settings/queues.js'
import type { DelayQueues } from './delayed.js'
import type { Epoch } from './epoch.js'
import type { QueueKind } from './queueKind.js'
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

/** Declares the queues of an epoch, and knows how each of them is to be consumed. */
export class QueueSetup {
  /** Queues of this epoch with a window of constant size, and how many messages that is. */
  fixed = new Map<string, number>()
  singleActive = new Set<string>()
  /** Queues of this epoch that are known to be quorum queues. */
  quorum = new Set<string>()
  /** Quorum queues of this epoch with another window. */
  moving = new Set<string>()
  private delaysPrepared = false

  constructor(private readonly options: QueueSetupOptions) {}

  /** A new epoch, of whose queues nothing is known. */
  begin(): void {
    this.fixed = new Map()
    this.singleActive = new Set()
    this.moving = new Set()
    this.quorum = new Set()
  }

  /** @throws the broker's refusal */
  async declare(epoch: Epoch, queue: QueueSpec): Promise<QueueKind> {
    const { delays, log, ordered, prefetch } = this.options
    const kind = await declareQueue(epoch, queue, log, prefetch > 0 && ordered())
    // A queue may be another one when it is declared again.
    if (kind.type === 'quorum') this.quorum.add(queue.name)
    else this.quorum.delete(queue.name)
    try {
      await delays.bind(epoch, queue)
    } catch (thrown) {
      epoch.ended.throwIfAborted()
      log.warning(`${queue.name} gets nothing from the delay queues: ${coerceError(thrown).message}`)
    }
    return kind
  }

  /**
   * Takes a declared queue among those that are consumed. A quorum queue keeps its order only while the number of its consumers stays
   * the same. Of those of a single active queue one alone would get anything.
   */
  sort({ name }: QueueSpec, { singleActive, type }: QueueKind): void {
    const { maxSlots, ordered, prefetch } = this.options
    // It may be another one than before.
    for (const sorted of [this.singleActive, this.fixed, this.moving]) sorted.delete(name)
    if (singleActive) this.singleActive.add(name)
    if (prefetch > 0 && (singleActive || (type === 'quorum' && ordered()))) this.fixed.set(name, maxSlots * prefetch)
    else if (prefetch > 0 && type === 'quorum') this.moving.add(name)
  }

  /**
   * Producers of Celery 5.5 and later publish what is due later and goes to a quorum queue through the delay queues, and trust a worker to
   * have declared them. The broker keeps them: after the first time nothing waits for it.
   */
  async prepareDelays(epoch: Epoch): Promise<void> {
    const { delays, log } = this.options
    if (this.quorum.size === 0) return
    const declaring = delays.declare(epoch).catch((thrown) => {
      if (epoch.ended.aborted) return
      log.warning(
        `Tasks that Celery 5.5 and later send to a quorum queue with a countdown or an ETA are lost until the delay queues can be declared: ${coerceError(thrown).message}`,
      )
    })
    if (!this.delaysPrepared) await declaring
    this.delaysPrepared = true
  }
}
