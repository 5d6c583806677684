import type { Broker } from '../broker/broker.js'
import type { Backend } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import { encodeControl } from '../protocol/control.js'
import { LamportClock } from '../protocol/lamport.js'
import type { Kwargs } from '../protocol/message.js'
import { queueNamed } from '../settings/queues.js'
import type { Settings } from '../settings/table.js'
import { currentRun } from './current.js'
import type { Outlet, Route, SendOptions } from './outlet.js'
import { routeTask } from './router.js'

/** The way out to a broker. A queue is declared before the first message that goes to it on a connection, as Celery does. */
export class BrokerOutlet implements Outlet {
  private readonly lamport = new LamportClock()
  private isStarted = false

  constructor(
    private readonly broker: Pick<Broker, 'declare' | 'postpone' | 'publisher' | 'publishing'>,
    readonly backend: Backend,
    private readonly settings: Settings,
    /** Told of what tasks have sent. */
    private readonly onSent: (message: OutgoingMessage, queue: string | null) => void = () => undefined,
  ) {}

  route(task: string, options: SendOptions, args?: readonly unknown[], kwargs?: Kwargs): Route {
    return routeTask(task, options, this.settings, args, kwargs)
  }

  prepare(route: Route): Promise<void> | undefined {
    return this.isStarted ? this.declare(route) : this.start(route)
  }

  async send(message: OutgoingMessage, route: Route, delayMs: number): Promise<void> {
    const isFarOff = delayMs > this.settings.worker_eta_memory_limit * 1000
    if (!(isFarOff && (await this.postponed(message, route, delayMs)))) await this.broker.publisher.publish(message)
    if (currentRun.getStore()) this.onSent(message, route.queue)
  }

  async tellWorkers(method: string, args: Readonly<Record<string, unknown>>): Promise<void> {
    const session = await this.broker.publishing()
    await session.broadcast(encodeControl({ method, arguments: args }, { clock: this.lamport.forward() }))
  }

  async close(): Promise<void> {
    this.isStarted = false
    await this.backend.stop()
    await this.broker.publisher.stop()
  }

  private async start(route: Route): Promise<void> {
    // Where results come as messages, the queue for them has to be there before the task is sent.
    await this.backend.start()
    this.isStarted = true
    await this.declare(route)
  }

  private declare({ queue }: Route): Promise<void> | undefined {
    return queue === null ? undefined : this.broker.declare(queueNamed(queue, this.settings))
  }

  private async postponed(message: OutgoingMessage, { queue }: Route, delayMs: number): Promise<boolean> {
    if (queue === null) return false
    return this.broker.postpone(message, queue, delayMs, { bindTo: queueNamed(queue, this.settings) })
  }
}
