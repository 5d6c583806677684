import { Connection } from './amqp/connection.js'
import { DelayQueues } from './amqp/delayed.js'
import { connectionOptions } from './amqp/options.js'
import { AmqpOutlet } from './amqp/outlet.js'
import { Postponer } from './amqp/postponer.js'
import { AmqpPublisher } from './amqp/publisher.js'
import type { App } from './app/app.js'
import { GuardedBackend } from './backends/guarded.js'
import { createBackend } from './backends/index.js'
import { systemClock } from './clock.js'
import { Blueprint, type Component } from './component.js'
import { Consumer } from './consumer.js'
import { coerceError } from './errors.js'
import { createExecutor } from './executors.js'
import { Lending } from './lending.js'
import { Line } from './line.js'
import { Autoscaler } from './pool/autoscaler.js'
import { Capacity } from './pool/capacity.js'
import type { Clock, Logger } from './ports.js'
import { Remote } from './remote.js'
import { Revoked } from './request/revoked.js'
import { WorkerState } from './request/state.js'
import { selectQueues } from './settings/queues.js'
import type { Settings } from './settings/table.js'

/** After a cold stop was announced to the running tasks, how long their last words may take. */
const LAST_WORDS_MS = 500

export interface WorkerOptions {
  readonly app: App
  readonly settings: Settings
  /** `name@host`. */
  readonly nodename: string
  readonly clock?: Clock
  log(scope: string): Logger
}

/**
 * A worker: the components in their order, and its two ways to stop. Mirrors Celery's `WorkController`.
 * The broker may be away at the start; the worker begins to consume when it comes.
 */
export class Worker implements Component {
  readonly name: string
  readonly line: Line
  /** Resolves with the exit code when the worker has stopped, for whatever reason. */
  readonly ended: Promise<{ readonly code: number }>
  private readonly consumer: Consumer
  private readonly remote: Remote
  private readonly publisher: AmqpPublisher
  private readonly backend: GuardedBackend
  private readonly postponer: Postponer
  private readonly blueprint: Blueprint
  private readonly log: Logger
  private readonly clock: Clock
  private end: (result: { code: number }) => void = () => undefined
  private stopping: Promise<void> | null = null
  private terminating: Promise<void> | null = null

  constructor(private readonly options: WorkerOptions) {
    const { app, settings, nodename, clock = systemClock } = options
    const { queues } = selectQueues(settings)
    const bounds = settings.worker_autoscale ?? { max: settings.worker_concurrency, min: settings.worker_concurrency }
    this.name = nodename
    this.clock = clock
    this.log = options.log('worker')
    this.ended = new Promise((resolve) => {
      this.end = resolve
    })
    this.publisher = new AmqpPublisher(connectionOptions('producer', settings, clock, options.log('producer')))
    const state = new WorkerState()
    const revoked = new Revoked(clock)
    this.remote = new Remote({ ...options, clock, state, revoked })
    const slots = Math.max(1, bounds.min)
    const executor = createExecutor(settings, {
      clock,
      log: this.log,
      hostname: nodename,
      size: slots,
      onStray: (by) => {
        state.strays += by
      },
    })
    const delays = new DelayQueues(settings.broker_native_delayed_delivery_queue_type, options.log('consumer'))
    this.postponer = new Postponer(this.publisher, delays)
    this.backend = new GuardedBackend(
      createBackend(settings, { publisher: this.publisher, log: options.log('backend') }),
      {
        clock,
        log: options.log('backend'),
      },
    )
    this.line = new Line({
      ...options,
      clock,
      state,
      executor,
      backend: this.backend,
      events: this.remote.events,
      revoked,
      publisher: this.publisher,
      slots,
      postpone: (message, queue, delayMs, signal) => this.postponer.postpone(message, queue, delayMs, { signal }),
    })
    const capacity = new Capacity({
      state: this.line.state,
      multiplier: settings.worker_prefetch_multiplier,
      parkedLimit: settings.worker_parked_limit,
      log: this.log,
    })
    const autoscaler = new Autoscaler({
      clock,
      log: options.log('autoscaler'),
      state: this.line.state,
      pool: this.line.pool,
      capacity,
      bounds: {
        max: bounds.max,
        min: Math.max(1, bounds.min),
        targetWaitMs: settings.worker_autoscale_target_wait * 1000,
        keepaliveMs: settings.worker_autoscale_keepalive * 1000,
      },
      intervalMs: settings.worker_autoscale_interval * 1000,
      queues: () => this.consumer?.queues.map((queue) => queue.name) ?? queues.map((queue) => queue.name),
      isHeldUp: () => !this.backend.healthy(),
    })
    this.line.onFull = () => autoscaler.hurry()
    this.consumer = new Consumer({
      queues,
      delays,
      line: this.line,
      autoscaler,
      capacity,
      prefetch: settings.worker_prefetch_multiplier,
      maxSlots: bounds.max,
      ordered: settings.task_order_by !== null || [...app.tasks].some((task) => task.options.orderBy !== undefined),
      purge: settings.purge,
      log: options.log('consumer'),
    })
    this.remote.register({
      nodename,
      main: settings.app ?? app.main,
      tasks: app.tasks,
      settings,
      clock,
      log: options.log('control'),
      line: this.line,
      executor,
      scaling: autoscaler,
      queues: this.consumer,
      shutdown: () => void this.stop(),
    })
    const connection = new Connection({
      ...connectionOptions('consumer', settings, clock, options.log('consumer')),
      onUp: async (epoch) => {
        await this.remote.up(epoch)
        await this.consumer.up(epoch)
        this.remote.consuming()
        this.log.info(`${nodename} ready.`)
      },
      onDown: async () => {
        this.remote.down()
        this.consumer.down()
      },
      gaveUp: (error) => {
        this.log.critical(`Unrecoverable error: ${error.message}`)
        void this.stop().then(() => this.end({ code: 1 }))
      },
    })
    this.blueprint = new Blueprint(nodename, [
      executor,
      { name: 'publisher', start: async () => undefined, stop: () => this.publisher.stop() },
      new Lending(
        app,
        new AmqpOutlet(this.publisher, this.postponer, this.backend, settings, this.log, (message, queue) =>
          this.remote.events.sent(message, queue),
        ),
      ),
      ...this.remote.components,
      { name: 'backend', start: () => this.backend.start(), stop: () => this.backend.stop() },
      autoscaler,
      connection,
    ])
  }

  /** What keeps the worker from doing its work; empty when it is ready. */
  get readiness(): readonly string[] {
    const reasons: string[] = []
    if (this.stopping) reasons.push('it is stopping')
    else if (!this.consumer.consuming) reasons.push('it takes no messages: there is no connection to the broker')
    if (!this.backend.healthy()) reasons.push(`results wait: ${this.backend.name} can't be reached`)
    return reasons
  }

  start(): Promise<void> {
    return this.blueprint.start()
  }

  /**
   * Warm: takes no more messages, gives back what hasn't started, waits for what runs (without a limit, as Celery does),
   * then says goodbye to the broker.
   */
  stop(): Promise<void> {
    this.stopping ??= this.warm()
    return this.stopping
  }

  /** Cold: as `stop`, but what still runs after `worker_soft_shutdown_timeout` is told to end and left to the broker. */
  terminate(): Promise<void> {
    this.terminating ??= this.cold()
    return this.terminating
  }

  private async warm(): Promise<void> {
    this.remote.stopping()
    await this.consumer
      .close()
      .catch((thrown) => this.log.warning(`Consumers weren't cancelled: ${coerceError(thrown).message}`))
    this.line.close()
    await this.line.idle()
    await this.finish()
  }

  private async cold(): Promise<void> {
    const { worker_soft_shutdown_timeout: seconds, worker_enable_soft_shutdown_on_idle: evenIdle } =
      this.options.settings
    const warm = this.stop()
    if (seconds > 0 && (this.line.pool.busy > 0 || evenIdle)) {
      this.log.warning(`Initiating Soft Shutdown, terminating in ${seconds} seconds`)
      await Promise.race([warm, this.after(seconds * 1000)])
    }
    this.line.abort()
    await Promise.race([warm, this.after(LAST_WORDS_MS)])
    await this.finish()
  }

  private async finish(): Promise<void> {
    await this.blueprint
      .stop()
      .catch((thrown) => this.log.error(`The worker stopped with faults: ${coerceError(thrown).message}`))
    this.end({ code: 0 })
  }

  private after(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.setTimer(resolve, ms)
    })
  }
}
