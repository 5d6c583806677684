import { Connection } from '../amqp/connection.js'
import { DelayQueues } from '../amqp/delayed.js'
import { connectionOptions } from '../amqp/options.js'
import { Outage } from '../amqp/outage.js'
import { AmqpOutlet } from '../amqp/outlet.js'
import { Postponer } from '../amqp/postponer.js'
import { AmqpPublisher } from '../amqp/publisher.js'
import type { App } from '../app/app.js'
import { GuardedBackend } from '../backends/guarded.js'
import { createBackend } from '../backends/index.js'
import { systemClock } from '../clock.js'
import { Blueprint, type Component, STOPPING } from '../component.js'
import { createExecutor } from '../executors/index.js'
import { Line } from '../line/line.js'
import type { Clock, Logger } from '../ports.js'
import { Revoked } from '../request/revoked.js'
import { WorkerState } from '../request/state.js'
import { Autoscaler } from '../scaling/autoscaler.js'
import { Capacity } from '../scaling/capacity.js'
import { memoryCeiling } from '../scaling/memoryCeiling.js'
import { selectQueues } from '../settings/queues.js'
import type { Settings } from '../settings/table.js'
import { StopLimit } from '../stopLimit.js'
import { WorkerBreakers } from './breakers.js'
import { Consumer } from './consumer.js'
import { Lending } from './lending.js'
import { Probes } from './probes.js'
import { Remote } from './remote.js'
import { COMPONENT_LIMIT_MS, Shutdown, STOP_LIMIT_MS } from './shutdown.js'

export interface WorkerOptions {
  readonly app: App
  readonly settings: Settings
  /** What somebody gave of them, for `inspect conf`; nothing unless given. */
  readonly configured?: ReadonlyMap<string, unknown>
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
  /** What it and its tasks depend on. */
  readonly breakers: WorkerBreakers
  private readonly consumer: Consumer
  private readonly remote: Remote
  private readonly publisher: AmqpPublisher
  private readonly backend: GuardedBackend
  private readonly postponer: Postponer
  readonly probes: Probes
  private readonly blueprint: Blueprint
  private readonly shutdown: Shutdown
  private readonly log: Logger

  constructor(options: WorkerOptions) {
    const { app, settings, nodename, clock = systemClock } = options
    const { queues } = selectQueues(settings)
    const bounds = settings.worker_autoscale ?? { max: settings.worker_concurrency, min: settings.worker_concurrency }
    this.name = nodename
    this.log = options.log('worker')
    const stopLimit = new StopLimit(clock, STOP_LIMIT_MS)
    const outage = new Outage(nodename, settings, this.log)
    this.publisher = new AmqpPublisher({
      ...connectionOptions('producer', settings, clock, options.log('producer')),
      stopLimit,
      ...outage.ofOthers,
    })
    const state = new WorkerState()
    const revoked = new Revoked(clock)
    this.remote = new Remote({ ...options, clock, state, revoked, publisher: this.publisher, outage })
    this.probes = new Probes({ ...options, clock })
    const events = this.probes.listenTo(this.remote.events)
    const executor = createExecutor(settings, {
      breakers: app.breakers,
      clock,
      log: this.log,
      hostname: nodename,
      size: bounds.min,
      stopLimit,
      onStray: (by) => state.strayed(by),
    })
    const delays = new DelayQueues(settings.broker_native_delayed_delivery_queue_type, options.log('consumer'))
    this.postponer = new Postponer(this.publisher, delays)
    const { publisher } = this
    const backend = createBackend(settings, { publisher, log: options.log('backend') })
    this.backend = new GuardedBackend(backend, { clock, log: options.log('backend'), stopLimit })
    this.breakers = new WorkerBreakers({ app, backend: this.backend, publisher, settings, log: this.log })
    this.line = new Line({
      ...options,
      clock,
      state,
      executor,
      backend: this.backend,
      events,
      revoked,
      publisher,
      slots: bounds.min,
      onStandstill: (seconds) => connection.renew(`the process stood still for ${Math.round(seconds)} seconds`),
      postpone: (message, queue, delayMs, signal) =>
        stopLimit.within(
          this.postponer.postpone(message, queue, delayMs, { signal }),
          () => 'the broker did not take the message before the worker stopped',
        ),
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
        min: bounds.min,
        targetWaitMs: settings.worker_autoscale_target_wait * 1000,
        keepaliveMs: settings.worker_autoscale_keepalive * 1000,
      },
      intervalMs: settings.worker_autoscale_interval * 1000,
      memoryCeiling: memoryCeiling(settings),
      queues: () => this.consumer?.queues.map((queue) => queue.name) ?? queues.map((queue) => queue.name),
      heldUpBy: () => this.breakers.heldUpBy ?? this.line.gate.pauses.tried,
    })
    this.consumer = new Consumer({
      nodename,
      queues,
      delays,
      line: this.line,
      autoscaler,
      capacity,
      prefetch: settings.worker_prefetch_multiplier,
      maxSlots: bounds.max,
      ordered: settings.task_order_by !== null || [...app.tasks].some((task) => task.options.orderBy !== undefined),
      purge: settings.purge,
      clock,
      log: options.log('consumer'),
      onDepths: (depths) => this.probes.heard(depths),
    })
    this.shutdown = new Shutdown({
      settings,
      clock,
      log: this.log,
      line: this.line,
      stopLimit,
      consumer: this.consumer,
      onBegin: () => this.remote.stopping(),
      finish: () => this.blueprint.stop(),
    })
    this.remote.register({
      nodename,
      main: settings.app ?? app.main,
      tasks: app.tasks,
      settings,
      configured: options.configured ?? new Map(),
      clock,
      log: options.log('control'),
      line: this.line,
      breakers: this.breakers,
      executor,
      scaling: autoscaler,
      queues: this.consumer,
      shutdown: () => void this.stop(),
    })
    const connection = new Connection({
      ...connectionOptions('consumer', settings, clock, options.log('consumer')),
      ...outage.ofConsumer,
      onUp: async (epoch) => {
        outage.end()
        this.publisher.hurry()
        await this.remote.up(epoch)
        await this.consumer.up(epoch)
        this.remote.consuming()
        this.log.info(`${nodename} ready.`)
      },
      onDown: async () => {
        outage.begin()
        this.remote.down()
        this.consumer.down()
      },
      gaveUp: (error) => {
        this.log.critical(`Unrecoverable error: ${error.message}`)
        this.shutdown.fail()
      },
    })
    this.probes.watch({
      worker: this,
      line: this.line,
      autoscaler,
      consumer: this.consumer,
      backend: this.backend,
      remote: this.remote,
    })
    const components: Component[] = [
      ...this.probes.components,
      executor,
      this.breakers,
      { name: 'publisher', start: async () => undefined, stop: () => this.publisher.stop() },
      new Lending(
        app,
        new AmqpOutlet(this.publisher, this.postponer, this.backend, settings, this.log, (message, queue) =>
          events.sent(message, queue),
        ),
        stopLimit,
      ),
      ...this.remote.components,
      { name: 'backend', start: () => this.backend.start(), stop: () => this.backend.stop() },
      autoscaler,
      this.line.standstill,
      connection,
    ]
    this.blueprint = new Blueprint(nodename, components, { clock, ms: COMPONENT_LIMIT_MS })
  }

  /** What keeps the worker from doing its work; empty when it is ready. */
  get readiness(): readonly string[] {
    if (this.shutdown.begun) return [STOPPING, ...this.breakers.waits]
    return [...this.consumer.idleFor, ...this.consumer.refusals, ...this.breakers.waits]
  }

  /** Resolves with the exit code when the worker has stopped, for whatever reason. */
  get ended(): Promise<{ readonly code: number }> {
    return this.shutdown.ended
  }

  start(): Promise<void> {
    return this.blueprint.start()
  }

  /** Warm: waits for what runs. */
  stop(): Promise<void> {
    return this.shutdown.stop()
  }

  /** Cold: gives what runs `worker_soft_shutdown_timeout` at most. */
  terminate(): Promise<void> {
    return this.shutdown.terminate()
  }
}
