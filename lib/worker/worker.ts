import type { App } from '../app/app.js'
import { GuardedBackend } from '../backends/guarded.js'
import { createBackend } from '../backends/index.js'
import { systemClock } from '../clock.js'
import { Blueprint, type Component, STOPPING } from '../component.js'
import { createExecutor } from '../executors/index.js'
import { homeOf, homeward } from '../fleet/laneOf.js'
import { LaneRuns } from '../fleet/runs.js'
import { Line } from '../line/line.js'
import type { Clock, Logger } from '../ports.js'
import { LamportClock } from '../protocol/lamport.js'
import { Revoked } from '../request/revoked.js'
import { WorkerState } from '../request/state.js'
import { Autoscaler } from '../scaling/autoscaler.js'
import { boundsOf } from '../scaling/bounds.js'
import { Capacity } from '../scaling/capacity.js'
import { memoryCeiling } from '../scaling/memoryCeiling.js'
import { queueNamed, selectQueues } from '../settings/queues.js'
import type { Settings } from '../settings/table.js'
import { StopLimit } from '../stopLimit.js'
import { HookEvents } from '../trace/hookEvents.js'
import { WorkerBreakers } from './breakers.js'
import { createBroker } from './brokers.js'
import { connectionListener } from './connectionListener.js'
import { Consumer } from './consumer.js'
import { WorkerEvents } from './events.js'
import { Fleets } from './fleets.js'
import { type StopCause, WorkerHooks } from './hooks.js'
import { Lending } from './lending.js'
import { Life } from './life.js'
import { ordersTasks } from './ordersTasks.js'
import { Probes } from './probes.js'
import { TaskRecords } from './records.js'
import { Remote } from './remote.js'
import { savedState } from './savedState.js'
import { COMPONENT_LIMIT_MS, NOT_TAKEN, Shutdown, STOP_LIMIT_MS } from './shutdown.js'
import { wayOut } from './wayOut.js'

export interface WorkerOptions {
  readonly app: App
  readonly settings: Settings
  /** The settings that were given, for `inspect conf`; none by default. */
  readonly configured?: ReadonlyMap<string, unknown>
  /** `name@host`. */
  readonly nodename: string
  /** True if the app sends through the worker's connection only inside of tasks; by default it does so everywhere. */
  readonly lendsToTasksOnly?: boolean
  readonly clock?: Clock
  log(scope: string): Logger
}

/**
 * The engine of `celeriac worker` and of the `Worker` in programs. Holds its parts in the order in which a message
 * meets them, its components in the order in which they start, and its two ways to stop. Mirrors Celery's
 * `WorkController`. The broker may be unavailable at the start; the worker begins to consume when it comes up.
 */
export class Worker implements Component {
  readonly name: string
  readonly line: Line
  /** Breakers of everything that the worker and its tasks depend on. */
  readonly breakers: WorkerBreakers
  readonly probes: Probes
  readonly life = new Life()
  private readonly consumer: Consumer
  private readonly fleets: Fleets
  private readonly blueprint: Blueprint
  private readonly shutdown: Shutdown

  constructor(options: WorkerOptions) {
    const { app, lendsToTasksOnly: onlyTasks = false, log, nodename, settings } = options
    this.name = nodename
    const clock = options.clock ?? systemClock
    const common = { ...options, clock }
    const own = log('worker')
    const { fleet, queues } = selectQueues(settings)
    const lined = fleet.map(({ name }) => name)
    const bounds = boundsOf(settings)
    const stopLimit = new StopLimit(clock, STOP_LIMIT_MS)
    const broker = createBroker({ ...common, stopLimit })
    const state = new WorkerState()
    const revoked = new Revoked(clock)
    const lamport = new LamportClock()

    // What is sent: messages, results, events.
    const backend = new GuardedBackend(createBackend(settings, { publisher: broker.publisher, log: log('backend') }), {
      clock,
      log: log('backend'),
      stopLimit,
    })
    const events = new WorkerEvents({ ...common, lamport, broker, state })
    const records = new TaskRecords(app, settings, clock, events.tasks)
    const hooks = new WorkerHooks(common)
    const way = wayOut({ ...common, hooks: hooks.own, broker, backend, events: records.events, stopLimit })
    this.breakers = new WorkerBreakers({ app, backend, publisher: broker.publisher, settings, log: own })

    // The path of a message, and where its task runs.
    const executor = createExecutor(settings, {
      app,
      hooks: hooks.own,
      clock,
      log: own,
      hostname: nodename,
      size: bounds.min,
      stopLimit,
      onStray: (by) => state.strayed(by),
    })
    this.line = new Line({
      ...common,
      state,
      executor,
      backend,
      hooks: hooks.own,
      events: new HookEvents(hooks.own, nodename, records.events),
      revoked,
      publisher: homeward(broker.publisher, lined),
      slots: bounds.min,
      stopLimit,
      canvas: way.canvas,
      tally: new LaneRuns({ queues: lined, broker, log: log('fleet') }),
      postpone: (message, queue, delayMs, signal) =>
        stopLimit.within(broker.postpone(message, homeOf(queue, lined), delayMs, { signal }), () => NOT_TAKEN),
      declare: (queue) =>
        stopLimit.within(Promise.resolve(broker.declare(queueNamed(queue, settings))), () => NOT_TAKEN),
    })
    const { life, line } = this

    // How much is taken in.
    const capacity = new Capacity({
      state,
      multiplier: settings.worker_prefetch_multiplier,
      parkedLimit: settings.worker_parked_limit,
      log: own,
    })
    const autoscaler = new Autoscaler({
      clock,
      log: log('autoscaler'),
      state,
      pool: line.pool,
      capacity,
      bounds,
      intervalMs: settings.worker_autoscale_interval * 1000,
      memoryCeiling: memoryCeiling(settings),
      heldUpBy: () => this.breakers.heldUpBy ?? line.gate.pauses.tried,
    })
    this.consumer = new Consumer({
      nodename,
      broker,
      queues,
      line,
      autoscaler,
      capacity,
      prefetch: settings.worker_prefetch_multiplier,
      maxSlots: bounds.max,
      ordered: fleet.length > 0 || ordersTasks(app, settings),
      purge: settings.purge,
      clock,
      log: log('consumer'),
    })
    this.fleets = new Fleets({ ...common, queues: fleet, slots: bounds.max, broker, intake: this.consumer })
    const { consumer, fleets } = this

    // Control and monitoring.
    const remote = new Remote({
      ...common,
      broker,
      revoked,
      events,
      lamport,
      line,
      breakers: this.breakers,
      executor,
      scaling: autoscaler,
      queues: consumer,
      fleets,
      shutdown: () => void this.stop(),
    })
    this.probes = new Probes({ ...common, records, worker: this, line, autoscaler, consumer, fleets, backend, remote })

    const connection = broker.connect(
      connectionListener({
        nodename,
        log: own,
        remote,
        consumer,
        fleets,
        hooks,
        life,
        onGaveUp: () => this.shutdown.fail(),
      }),
    )
    line.standstill.onFound((seconds) => connection.renew(`the process stood still for ${Math.round(seconds)} seconds`))

    const components: Component[] = [
      ...this.probes.components,
      hooks,
      executor,
      this.breakers,
      { name: 'publisher', start: async () => undefined, stop: () => broker.publisher.stop() },
      new Lending(app, way.outlet, { worker: nodename, onlyTasks, hooks: hooks.own }),
      ...savedState(settings, { revoked, lamport, clock, log: log('statedb') }),
      events,
      { name: 'backend', start: () => backend.start(), stop: () => backend.stop() },
      autoscaler,
      line.standstill,
      connection,
      fleets,
    ]
    this.blueprint = new Blueprint(nodename, components, { clock, ms: COMPONENT_LIMIT_MS })
    this.shutdown = new Shutdown({
      settings,
      clock,
      log: own,
      line,
      stopLimit,
      consumer,
      onBegin: (how, cause) => {
        remote.stopping()
        void fleets.stop()
        hooks.shuttingDown(how, cause)
        life.stops()
      },
      finish: () => this.blueprint.stop(),
    })
  }

  /** Reasons why the worker can't do its work; empty when it is ready. */
  get readiness(): readonly string[] {
    if (this.shutdown.begun) return [STOPPING, ...this.breakers.waits]
    return [...this.consumer.idleFor, ...this.consumer.refusals, ...this.fleets.refusals, ...this.breakers.waits]
  }

  /** Resolves with the exit code when the worker has stopped, for whatever reason. */
  get ended(): Promise<{ readonly code: number }> {
    return this.shutdown.ended
  }

  start(): Promise<void> {
    return this.blueprint.start()
  }

  /** Warm shutdown: waits for running tasks. */
  stop(cause?: StopCause): Promise<void> {
    return this.shutdown.stop(cause)
  }

  /** Cold shutdown: gives running tasks at most `worker_soft_shutdown_timeout`. */
  terminate(cause?: StopCause): Promise<void> {
    return this.shutdown.terminate(cause)
  }
}
