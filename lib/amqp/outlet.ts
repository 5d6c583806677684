import { currentRun } from '../app/current.js'
import type { Outlet, Route, SendOptions } from '../app/outlet.js'
import { routeTask } from '../app/router.js'
import type { Backend, Logger } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import { queueNamed } from '../settings/queues.js'
import type { Settings } from '../settings/table.js'
import type { Epoch } from './epoch.js'
import type { Postponer } from './postponer.js'
import type { AmqpPublisher } from './publisher.js'
import { declareQueue } from './topology.js'

/** The way out to RabbitMQ. A queue is declared before the first message that goes to it on a connection, as Celery does. */
export class AmqpOutlet implements Outlet {
  private readonly declared = new WeakMap<Epoch, Map<string, Promise<unknown>>>()

  constructor(
    private readonly publisher: AmqpPublisher,
    private readonly postponer: Postponer,
    readonly backend: Backend,
    private readonly settings: Settings,
    private readonly log: Logger,
    /** Told of what tasks have sent. */
    private readonly onSent: (message: OutgoingMessage, queue: string | null) => void = () => undefined,
  ) {}

  route(task: string, options: SendOptions): Route {
    return routeTask(task, options, this.settings)
  }

  async prepare(route: Route): Promise<void> {
    // Where results come as messages, the queue for them has to be there before the task is sent.
    await this.backend.start()
    if (route.queue === null) return
    const epoch = await this.publisher.epoch()
    const known = this.declared.get(epoch) ?? new Map<string, Promise<unknown>>()
    this.declared.set(epoch, known)
    let declaring = known.get(route.queue)
    if (!declaring) {
      declaring = declareQueue(epoch, queueNamed(route.queue, this.settings), this.log)
      known.set(route.queue, declaring)
      declaring.catch(() => known.delete(route.queue ?? ''))
    }
    await declaring
  }

  async send(message: OutgoingMessage, route: Route, delayMs: number): Promise<void> {
    const isFar = delayMs > this.settings.worker_eta_memory_limit * 1000
    if (isFar && route.queue !== null) {
      const bindTo = queueNamed(route.queue, this.settings)
      if (await this.postponer.postpone(message, route.queue, delayMs, { bindTo })) {
        if (currentRun.getStore()) this.onSent(message, route.queue)
        return
      }
    }
    await this.publisher.publish(message)
    if (currentRun.getStore()) this.onSent(message, route.queue)
  }

  async close(): Promise<void> {
    await this.backend.stop()
    await this.publisher.stop()
  }
}
