import type { Broker } from '../broker/broker.js'
import { triesOf } from '../broker/publishTries.js'
import type { Backend, PublishTries } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import { encodeControl } from '../protocol/control.js'
import { LamportClock } from '../protocol/lamport.js'
import type { Kwargs } from '../protocol/message.js'
import { queueNamed } from '../settings/queues.js'
import type { Settings } from '../settings/table.js'
import { currentRun } from './current.js'
import type { Outlet, Route, SendOptions } from './outlet.js'
import { routeTask } from './router.js'

export interface BrokerOutletOptions {
  /** Whether messages wait for the broker, whatever `task_publish_retry` says: in a worker, which also waits for it. */
  readonly isPatient?: boolean
  /** Called for each message that a task has sent. */
  onSent?(message: OutgoingMessage, queue: string | null): void
}

/** The outlet to a broker. A queue is declared before the first message to it on a connection, as Celery does. */
export class BrokerOutlet implements Outlet {
  private readonly lamport = new LamportClock()
  private isStarted = false

  constructor(
    private readonly broker: Pick<Broker, 'declare' | 'postpone' | 'publisher' | 'publishing'>,
    readonly backend: Backend,
    readonly settings: Settings,
    private readonly options: BrokerOutletOptions = {},
  ) {}

  tries(options: SendOptions): PublishTries | undefined {
    return triesOf(options, this.settings, !this.options.isPatient)
  }

  route(task: string, options: SendOptions, args?: readonly unknown[], kwargs?: Kwargs): Route {
    return routeTask(task, options, this.settings, args, kwargs)
  }

  prepare(route: Route, tries?: PublishTries): Promise<void> | undefined {
    return this.isStarted ? this.declare(route, tries) : this.start(route, tries)
  }

  async send(message: OutgoingMessage, route: Route, delayMs: number, tries?: PublishTries): Promise<void> {
    const isFarOff = delayMs > this.settings.worker_eta_memory_limit * 1000
    if (!(isFarOff && (await this.postponed(message, route, delayMs, tries))))
      await this.broker.publisher.publish(message, undefined, tries)
    if (currentRun.getStore()) this.options.onSent?.(message, route.queue)
  }

  async tellWorkers(method: string, args: Readonly<Record<string, unknown>>): Promise<void> {
    const session = await this.broker.publishing(undefined, this.tries({}))
    await session.broadcast(encodeControl({ method, arguments: args }, { clock: this.lamport.forward() }))
  }

  async close(): Promise<void> {
    this.isStarted = false
    try {
      await this.backend.stop()
    } finally {
      await this.broker.publisher.stop()
    }
  }

  private async start(route: Route, tries: PublishTries | undefined): Promise<void> {
    // First, since the call says how long it waits for the broker. The queue of results waits as long as it likes.
    await (this.declare(route, tries) ?? this.broker.publishing(undefined, tries))
    // Where results come as messages, the queue for them has to be there before the task is sent.
    await this.backend.start()
    this.isStarted = true
  }

  private declare({ queue }: Route, tries: PublishTries | undefined): Promise<void> | undefined {
    return queue === null ? undefined : this.broker.declare(queueNamed(queue, this.settings), tries)
  }

  private async postponed(
    message: OutgoingMessage,
    { queue }: Route,
    delayMs: number,
    tries: PublishTries | undefined,
  ): Promise<boolean> {
    if (queue === null) return false
    const options = { bindTo: queueNamed(queue, this.settings), ...(tries ? { tries } : {}) }
    return this.broker.postpone(message, queue, delayMs, options)
  }
}
