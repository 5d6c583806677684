import { type Intake, type IntakeOptions, type IntakeWindow, type QueueDepth, QueueRefused } from '../broker/intake.js'
import type { Session } from '../broker/session.js'
import type { QueueSpec } from '../settings/queues.js'
import type { MemorySession } from './session.js'
import { Subscription } from './subscription.js'

/** Takes messages from the queues of this process. */
export class MemoryIntake implements Intake {
  /** A lost connection never holds messages here. */
  readonly heldUp = false
  private readonly left: Set<string>
  private sequence = 0

  constructor(private readonly options: IntakeOptions) {
    this.left = new Set(options.purged)
  }

  async open(session: Session, queues: () => readonly QueueSpec[]): Promise<IntakeWindow> {
    const memory = session as MemorySession
    const window = new MemoryWindow(memory, this.options, {
      nextSequence: () => ++this.sequence,
      onAdded: (queue) => this.purge(memory, [queue]),
    })
    for (const queue of [...queues()]) {
      try {
        window.consume(queue)
      } catch (thrown) {
        if (!(thrown instanceof QueueRefused)) throw thrown
        this.options.onRefused(queue.name, thrown, false)
      }
    }
    await this.purge(memory, queues())
    return window
  }

  lost(): void {
    // All messages of the session are back in their queues by now.
  }

  private async purge(session: MemorySession, queues: readonly QueueSpec[]): Promise<void> {
    let erased: number | null = null
    for (const { name } of queues) if (this.left.delete(name)) erased = (erased ?? 0) + (await session.purge(name))
    if (erased === null) return
    this.options.log.warning(`purge: Erased ${erased} message${erased === 1 ? '' : 's'} from the queue.`)
  }
}

class MemoryWindow implements IntakeWindow {
  private readonly subscriptions = new Map<string, Subscription>()
  private closed = false

  constructor(
    private readonly session: MemorySession,
    private readonly options: IntakeOptions,
    private readonly hooks: { nextSequence(): number; onAdded(queue: QueueSpec): Promise<void> },
  ) {
    session.atEnd(() => {
      for (const subscription of this.subscriptions.values()) subscription.end()
    })
  }

  count(queue: string): number {
    return this.subscriptions.get(queue)?.weight ?? 0
  }

  resize(capacity: ReadonlyMap<string, number>): void {
    if (this.closed || this.session.ended.aborted) return
    for (const [queue, subscription] of this.subscriptions) subscription.resize(capacity.get(queue) ?? 0)
  }

  splitLarge(): void {
    // Nothing to do: there are no large consumers, since a window of any size costs nothing.
  }

  async settled(): Promise<void> {
    // Nothing to do: changes take effect at once.
  }

  async depths(queues: Iterable<string>): Promise<ReadonlyMap<string, QueueDepth>> {
    const depths = new Map<string, QueueDepth>()
    if (this.session.ended.aborted) return depths
    for (const name of queues) {
      const queue = this.session.server.queue(name)
      if (queue) depths.set(name, { ready: queue.depth, consumers: queue.consumers })
    }
    return depths
  }

  async add(spec: QueueSpec): Promise<void> {
    this.consume(spec)
    // Refused so far, it wasn't purged with the others.
    await this.hooks.onAdded(spec)
  }

  /** @throws QueueRefused */
  consume(spec: QueueSpec): void {
    const queue = this.session.declareOn(spec)
    if (this.subscriptions.has(spec.name)) return
    const { log, nodename, onDelivery, prefetch } = this.options
    const subscription = new Subscription({
      queue,
      consumerTag: `${nodename}.${this.subscriptions.size + 1}`,
      prefetch,
      ended: this.session.ended,
      log,
      nextSequence: () => this.hooks.nextSequence(),
      onDelivery,
    })
    this.subscriptions.set(spec.name, subscription)
  }

  async close(): Promise<void> {
    this.closed = true
    for (const subscription of this.subscriptions.values()) subscription.close()
  }
}
