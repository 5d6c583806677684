import type { Broker } from '../broker/broker.js'
import type { Intake, IntakeWindow, QueueDepth, QueueRefused } from '../broker/intake.js'
import type { Session } from '../broker/session.js'
import { BrokerError, coerceError } from '../errors.js'
import type { Line } from '../line/line.js'
import { untilSettled } from '../line/untilSettled.js'
import { Listeners } from '../listeners.js'
import type { Clock, Logger } from '../ports.js'
import type { Autoscaler } from '../scaling/autoscaler.js'
import type { Capacity } from '../scaling/capacity.js'
import type { QueueSpec } from '../settings/queues.js'
import { Refusals } from './refusals.js'
import { scaledWindow } from './scaledWindow.js'

const AWAY = 'not connected to the broker'
const HELD_UP = 'the broker still holds those of the last connection'

export interface ConsumerOptions {
  readonly nodename: string
  readonly broker: Pick<Broker, 'intake'>
  /** Queues at the start; `add` and `cancel` change them. */
  readonly queues: readonly QueueSpec[]
  readonly line: Line
  readonly autoscaler: Autoscaler
  readonly capacity: Capacity
  readonly prefetch: number
  /** The most slots there may ever be: the size of a window that must not change. */
  readonly maxSlots: number
  /** True if any task of the app has an order to keep. */
  readonly ordered: boolean
  readonly purge: boolean
  readonly clock: Clock
  readonly log: Logger
}

/** Takes messages: all that is built on a connection each time it comes up, and dropped when it is lost. */
export class Consumer {
  private session: Session | null = null
  private window: IntakeWindow | null = null
  private opened = false
  private closed = false
  private consumed: QueueSpec[]
  /** Queues, of the start or added later, that the broker doesn't let us consume. */
  private readonly refused: Refusals
  /** Names of the queues from the start, and of lanes: they are tried until the broker lets us consume them. */
  private readonly asked: Set<string>
  private readonly inlet: Intake
  private readonly soundings = new Listeners<[depths: ReadonlyMap<string, QueueDepth>]>()

  constructor(private readonly options: ConsumerOptions) {
    this.consumed = [...options.queues]
    this.asked = new Set(options.queues.map(({ name }) => name))
    this.refused = new Refusals({ ...options, onDue: (name) => void this.tryAgain(name) })
    const { broker, line } = options
    this.inlet = broker.intake({
      ...options,
      purged: options.purge ? [...this.asked] : [],
      running: line.state.running,
      hasOrder: () => line.lanes.used,
      onDelivery: (delivery) => line.receive(delivery),
      onLost: (name, error) => this.lost(name, error),
      onRefused: (name, refusal, wasConsumed) => this.refuse(name, refusal, wasConsumed),
    })
    line.state.onParked(() => this.window?.resize(options.capacity.perQueue()))
  }

  /** Calls `listener` with each new reading of the queues' depths. @returns a function that stops this */
  onDepths(listener: (depths: ReadonlyMap<string, QueueDepth>) => void): () => void {
    return this.soundings.add(listener)
  }

  /** Returns the depths of any queues, also of queues that others consume. */
  async depths(queues: readonly string[]): Promise<ReadonlyMap<string, QueueDepth>> {
    const depths = (await this.window?.depths(queues)) ?? new Map<string, QueueDepth>()
    this.soundings.tell(depths)
    return depths
  }

  /** True from when the broker has accepted the consumers until the connection is lost. */
  get consuming(): boolean {
    return this.opened
  }

  /** Reasons why no messages are taken; empty if they are. */
  get idleFor(): readonly string[] {
    return this.opened ? [] : [`it takes no messages: ${this.inlet.heldUp ? HELD_UP : AWAY}`]
  }

  /**
   * Declares the queues, opens the window, and lets the autoscaler follow it.
   * @returns whether messages are taken; not if it was closed: a connection may be lost, and come back, while the last
   *   tasks of a stop run
   */
  async up(session: Session): Promise<boolean> {
    if (this.closed) return false
    this.options.line.standstill.limit = session.heartbeat
    this.session = session
    const window = await this.inlet.open(session, () => this.queues)
    this.window = window
    if (this.closed) {
      await window.close()
      return false
    }
    this.options.autoscaler.attach(scaledWindow(window, () => this.queues, this.soundings))
    await window.settled()
    session.ended.throwIfAborted()
    this.opened = true
    return !this.closed
  }

  /** The consumed queues, without those that the broker refuses. */
  get queues(): readonly QueueSpec[] {
    return this.consumed.filter(({ name }) => !this.refused.has(name))
  }

  /** Queues that aren't consumed because the broker refuses them, each with the reason. */
  get refusals(): readonly string[] {
    return this.refused.reasons
  }

  /** The consumers of each queue, and the messages that may be unsettled from it. Empty without a connection. */
  intake(): Array<{ queue: string; consumers: number; messages: number }> {
    const { window } = this
    if (!window) return []
    const capacity = [...this.options.capacity.perQueue()]
    return capacity.map(([queue, messages]) => ({ queue, consumers: window.count(queue), messages }))
  }

  /**
   * Consumes from one more queue, now and after each reconnect; without a connection, from the next one on.
   * @throws BrokerError, or the broker's refusal: then nothing has changed
   */
  async add(queue: QueueSpec): Promise<void> {
    try {
      if (await this.include(queue)) this.started(queue)
    } catch (thrown) {
      this.options.log.error(`Can't consume from ${queue.name}: ${coerceError(thrown).message}`)
      throw thrown
    }
  }

  /** Stops consuming from a queue. Messages that were taken from it are run. */
  cancel(name: string): void {
    this.options.log.info(`Canceling queue ${name}`)
    this.drop(name)
  }

  /** Takes a queue that the broker gives to one consumer at a time, now or as soon as it is free. @throws as `add` */
  async openLane(queue: QueueSpec): Promise<void> {
    this.options.line.gate.closure.reopen(queue.name)
    this.asked.add(queue.name)
    if (await this.include(queue)) this.options.autoscaler.queuesChanged()
  }

  /**
   * Starts nothing more of such a queue. Resolves once nothing of it runs and every acknowledgement is written. Nobody
   * else gets the queue before `closeLane`.
   */
  async drainLane(name: string): Promise<void> {
    const { clock, line } = this.options
    this.window?.handOver?.begin(name)
    line.gate.close(name)
    await untilSettled(name, line.state, clock)
  }

  /** Gives up such a queue: whoever waits for it gets what is left, in order. */
  async closeLane(name: string): Promise<void> {
    this.asked.delete(name)
    this.drop(name)
    await this.window?.handOver?.end(name)
  }

  down(): void {
    this.inlet.lost()
    this.opened = false
    this.session = null
    this.window = null
    this.options.autoscaler.detach()
    this.options.line.connectionLost()
  }

  /** Takes no more messages, on no connection. Delivered ones can still be settled. */
  async close(): Promise<void> {
    this.closed = true
    this.options.autoscaler.detach()
    this.refused.stop()
    await this.window?.close()
  }

  /** @returns whether the queue is newly consumed from now on, or from the next connection */
  private async include(queue: QueueSpec): Promise<boolean> {
    const { window } = this
    const isKnown = (): boolean => this.consumed.some(({ name }) => name === queue.name)
    if (isKnown() && !this.refused.has(queue.name)) return false
    await window?.add(queue)
    if (window !== this.window) throw new BrokerError(AWAY)
    if (!isKnown()) this.consumed.push(queue)
    this.refused.clear(queue.name)
    return window !== null
  }

  /** Handles a queue of which the broker has taken back everything unsettled. */
  private lost(name: string, error: Error): void {
    const { line, log } = this.options
    if (line.state.hasSplitKey()) {
      this.session?.end(error)
      return
    }
    log.warning(`The broker took back the messages of ${name}; they run when it delivers them again: ${error.message}`)
    line.connectionLost()
  }

  /** Retries a refused queue that was consumed before or is from the start; gives up one that was just added. */
  private refuse(name: string, refusal: QueueRefused, wasConsumed: boolean): void {
    if (wasConsumed || this.asked.has(name)) this.refused.add(name, refusal)
    else {
      this.drop(name)
      this.options.log.error(
        `Can't consume from ${name}, which was added by remote control: ${refusal.message}. It is not tried again`,
      )
    }
    this.options.autoscaler.queuesChanged()
  }

  private async tryAgain(name: string): Promise<void> {
    const { window } = this
    const queue = this.consumed.find((queue) => queue.name === name)
    if (!queue) return
    try {
      if (!window) throw new BrokerError(AWAY)
      await window.add(queue)
    } catch (thrown) {
      if (this.refused.has(name)) this.refused.add(name, thrown)
      return
    }
    this.refused.clear(name)
    this.started(queue)
  }

  private started({ name }: QueueSpec): void {
    this.options.log.info(`Started consuming from ${name}`)
    this.options.autoscaler.queuesChanged()
  }

  private drop(name: string): void {
    this.consumed = this.consumed.filter((queue) => queue.name !== name)
    this.refused.clear(name)
    this.options.autoscaler.queuesChanged()
  }
}
