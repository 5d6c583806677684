import type { DelayQueues } from './amqp/delayed.js'
import { DepthProbe } from './amqp/depth.js'
import type { Epoch } from './amqp/epoch.js'
import { declareQueue } from './amqp/topology.js'
import { Window } from './amqp/window.js'
import { coerceError } from './errors.js'
import type { Line } from './line.js'
import type { Autoscaler } from './pool/autoscaler.js'
import type { Capacity } from './pool/capacity.js'
import type { Logger } from './ports.js'
import type { QueueSpec } from './settings/queues.js'

export interface ConsumerOptions {
  /** At the start; `add` and `cancel` change them. */
  readonly queues: readonly QueueSpec[]
  readonly delays: DelayQueues
  readonly line: Line
  readonly autoscaler: Autoscaler
  readonly capacity: Capacity
  readonly prefetch: number
  /** The most slots there may ever be: the size of a window that must not change. */
  readonly maxSlots: number
  /** Whether any task of the app has an order to keep. */
  readonly ordered: boolean
  readonly purge: boolean
  readonly log: Logger
}

/** Takes messages: all that is built on a connection each time it comes up, and dropped when it is lost. */
export class Consumer {
  private window: Window | null = null
  private epoch: Epoch | null = null
  private consumed: QueueSpec[]
  private sequence = 0
  private purged = false

  constructor(private readonly options: ConsumerOptions) {
    this.consumed = [...options.queues]
    options.line.state.onParked = () => this.window?.resize(options.capacity.perQueue())
  }

  /** True while messages may come in. */
  get consuming(): boolean {
    return this.window !== null
  }

  /** Declares the queues, opens the window, and lets the autoscaler follow it. */
  async up(epoch: Epoch): Promise<void> {
    const { autoscaler, line, log, maxSlots, ordered, prefetch } = this.options
    const fixed = new Map<string, number>()
    for (const queue of this.consumed) {
      const type = await this.declare(epoch, queue)
      // A quorum queue keeps its order only while the number of its consumers stays the same.
      if (type === 'quorum' && ordered && prefetch > 0) fixed.set(queue.name, maxSlots * prefetch)
    }
    if (this.options.purge && !this.purged) await this.purge(epoch)
    const window = await Window.open({
      epoch,
      prefetch,
      fixed,
      log,
      nextSequence: () => ++this.sequence,
      onDelivery: (delivery) => line.receive(delivery),
      declare: async (name) => {
        const queue = this.consumed.find((queue) => queue.name === name)
        if (queue) await this.declare(epoch, queue)
      },
    })
    const probe = new DepthProbe(epoch, log)
    this.window = window
    this.epoch = epoch
    autoscaler.attach({
      depth: () => probe.sample(this.consumed.map((queue) => queue.name)),
      consumers: (queue) => window.count(queue),
      resize: (capacity) => window.resize(capacity),
    })
    await window.settled()
    epoch.ended.throwIfAborted()
  }

  get queues(): readonly QueueSpec[] {
    return this.consumed
  }

  /** The consumers of each queue, and the messages that may be unsettled from it. Empty without a connection. */
  intake(): Array<{ queue: string; consumers: number; messages: number }> {
    const { window } = this
    if (!window) return []
    return [...this.options.capacity.perQueue()].map(([queue, messages]) => ({
      queue,
      consumers: window.count(queue),
      messages,
    }))
  }

  /** Consumes from one more queue, from now on and after a reconnect. */
  add(queue: QueueSpec): void {
    if (this.consumed.some(({ name }) => name === queue.name)) return
    this.consumed.push(queue)
    const { epoch } = this
    if (!epoch) return
    this.declare(epoch, queue)
      .then(() => {
        this.options.log.info(`Started consuming from ${queue.name}`)
        if (epoch === this.epoch) this.options.autoscaler.requeue()
      })
      .catch((thrown) => this.options.log.error(`Can't consume from ${queue.name}: ${coerceError(thrown).message}`))
  }

  /** Consumes from a queue no more. What was taken from it is run. */
  cancel(name: string): void {
    this.options.log.info(`Canceling queue ${name}`)
    this.consumed = this.consumed.filter((queue) => queue.name !== name)
    this.options.autoscaler.requeue()
  }

  down(): void {
    this.window = null
    this.epoch = null
    this.options.autoscaler.detach()
    this.options.line.connectionLost()
  }

  /** Cancels every consumer; what was delivered can still be settled. */
  async close(): Promise<void> {
    this.options.autoscaler.detach()
    await this.window?.close()
  }

  private async declare(epoch: Epoch, queue: QueueSpec): Promise<'classic' | 'quorum'> {
    const { delays, log } = this.options
    const type = await declareQueue(epoch, queue, log)
    try {
      await delays.bind(epoch, queue)
    } catch (thrown) {
      epoch.ended.throwIfAborted()
      log.warning(`${queue.name} gets nothing from the delay queues: ${coerceError(thrown).message}`)
    }
    return type
  }

  private async purge(epoch: Epoch): Promise<void> {
    let erased = 0
    for (const { name } of this.consumed) {
      erased += (await epoch.scratch((channel) => channel.purgeQueue(name))).messageCount
    }
    this.purged = true
    this.options.log.warning(`purge: Erased ${erased} message${erased === 1 ? '' : 's'} from the queue.`)
  }
}
