import type { DelayQueues } from './amqp/delayed.js'
import { DepthProbe, type QueueDepth } from './amqp/depth.js'
import type { Epoch } from './amqp/epoch.js'
import { HeaderKeys } from './amqp/headerKeys.js'
import type { QueueKind } from './amqp/queueKind.js'
import { declareQueue } from './amqp/topology.js'
import { Window } from './amqp/window.js'
import { coerceError } from './errors.js'
import type { Line } from './line.js'
import type { Autoscaler } from './pool/autoscaler.js'
import type { Capacity } from './pool/capacity.js'
import type { Clock, Logger } from './ports.js'
import type { QueueSpec } from './settings/queues.js'

export interface ConsumerOptions {
  readonly nodename: string
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
  readonly clock: Clock
  readonly log: Logger
  /** Told what the broker says of the queues' depths, each time it is asked. */
  onDepths(depths: ReadonlyMap<string, QueueDepth>): void
}

/** Takes messages: all that is built on a connection each time it comes up, and dropped when it is lost. */
export class Consumer {
  private window: Window | null = null
  private opened = false
  private epoch: Epoch | null = null
  private consumed: QueueSpec[]
  private sequence = 0
  private purged = false
  private delaysPrepared = false
  private readonly keys: HeaderKeys
  /** Queues of this epoch with a window of constant size, and how many messages that is. */
  private fixed = new Map<string, number>()
  private singleActive = new Set<string>()
  /** Quorum queues of this epoch with another window. */
  private moving = new Set<string>()

  constructor(private readonly options: ConsumerOptions) {
    this.consumed = [...options.queues]
    this.keys = new HeaderKeys({ ...options, state: options.line.state })
    options.line.state.onParked = () => this.window?.resize(options.capacity.perQueue())
  }

  /** True from when the broker has accepted the consumers until the connection is lost. */
  get consuming(): boolean {
    return this.opened
  }

  /** Declares the queues, opens the window, and lets the autoscaler follow it. */
  async up(epoch: Epoch): Promise<void> {
    const { autoscaler, line, log, prefetch } = this.options
    this.fixed = new Map()
    this.singleActive = new Set()
    this.moving = new Set()
    const kinds: QueueKind[] = []
    for (const queue of this.consumed) {
      const kind = await this.declare(epoch, queue)
      this.sort(queue, kind)
      kinds.push(kind)
    }
    if (kinds.some(({ type }) => type === 'quorum')) await this.prepareDelays(epoch)
    if (this.options.purge && !this.purged) await this.purge(epoch)
    const admits = this.keys.watch(epoch, this.moving)
    const window = await Window.open({
      epoch,
      node: this.options.nodename,
      prefetch,
      fixed: this.fixed,
      singleActive: this.singleActive,
      log,
      nextSequence: () => ++this.sequence,
      onDelivery: (delivery) => {
        if (admits(delivery)) line.receive(delivery)
      },
      declare: async (name) => {
        const queue = this.consumed.find((queue) => queue.name === name)
        if (queue) await this.declare(epoch, queue)
      },
    })
    const probe = new DepthProbe(epoch, log)
    this.window = window
    this.epoch = epoch
    let isAlone = false
    autoscaler.attach({
      depth: async () => {
        const depths = await probe.sample(this.consumed.map((queue) => queue.name))
        this.options.onDepths(depths)
        isAlone = [...depths].every(([queue, { consumers }]) => consumers <= window.count(queue))
        const isCalm = [...depths.values()].every(({ ready }) => ready === 0)
        if (isCalm || !isAlone) window.even()
        return depths
      },
      consumers: (queue) => window.count(queue),
      resize: (capacity) => window.resize(capacity, isAlone),
    })
    await window.settled()
    epoch.ended.throwIfAborted()
    this.opened = true
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
      .then((kind) => {
        if (epoch === this.epoch) this.sort(queue, kind)
        if (kind.type === 'quorum') void this.prepareDelays(epoch)
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
    this.opened = false
    this.window = null
    this.epoch = null
    this.options.autoscaler.detach()
    this.options.line.connectionLost()
  }

  /** Takes no more messages; what was delivered can still be settled. */
  async close(): Promise<void> {
    this.options.autoscaler.detach()
    await this.window?.close()
  }

  /**
   * A quorum queue keeps its order only while the number of its consumers stays the same. Of those of a single active queue one
   * alone would get anything.
   */
  private sort({ name }: QueueSpec, { singleActive, type }: QueueKind): void {
    const { maxSlots, prefetch } = this.options
    if (singleActive) this.singleActive.add(name)
    if (prefetch > 0 && (singleActive || (type === 'quorum' && this.keys.ordered)))
      this.fixed.set(name, maxSlots * prefetch)
    else if (prefetch > 0 && type === 'quorum') this.moving.add(name)
  }

  private async declare(epoch: Epoch, queue: QueueSpec): Promise<QueueKind> {
    const { delays, log, prefetch } = this.options
    const kind = await declareQueue(epoch, queue, log, prefetch > 0 && this.keys.ordered)
    try {
      await delays.bind(epoch, queue)
    } catch (thrown) {
      epoch.ended.throwIfAborted()
      log.warning(`${queue.name} gets nothing from the delay queues: ${coerceError(thrown).message}`)
    }
    return kind
  }

  /**
   * Producers of Celery 5.5 and later publish what is due later and goes to a quorum queue through the delay queues, and trust a worker to
   * have declared them. The broker keeps them: after the first time nothing waits for it.
   */
  private async prepareDelays(epoch: Epoch): Promise<void> {
    const { delays, log } = this.options
    const declaring = delays.declare(epoch).catch((thrown) => {
      if (epoch.ended.aborted) return
      log.warning(
        `Tasks that Celery 5.5 and later send to a quorum queue with a countdown or an ETA are lost until the delay queues can be declared: ${coerceError(thrown).message}`,
      )
    })
    if (!this.delaysPrepared) await declaring
    this.delaysPrepared = true
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
