import type { App } from '../app/app.js'
import type { Hooks } from '../app/hooks/hooks.js'
import { keyFunction } from '../app/orderKey.js'
import type { CanvasOutlet } from '../canvas/outlet.js'
import { canvasLimits } from '../canvas/parse.js'
import { BrokerError } from '../errors.js'
import type { Executor } from '../executors/executor.js'
import type { Backend, Clock, Delivery, Logger, Publisher } from '../ports.js'
import { wasReceived } from '../protocol/delay.js'
import { abandon } from '../request/abandon.js'
import { Departures, type Postpone } from '../request/departures.js'
import { Gate } from '../request/gate.js'
import { Lanes } from '../request/lanes.js'
import { Poison, type RunTally } from '../request/poison.js'
import { Policies } from '../request/policy.js'
import type { Request } from '../request/request.js'
import { MOST_REVOKED, type Revoked } from '../request/revoked.js'
import type { WorkerState } from '../request/state.js'
import { Strategy } from '../request/strategy.js'
import type { TaskEvents } from '../request/taskEvents.js'
import { contentLimits } from '../settings/contentLimits.js'
import { rate } from '../settings/rate.js'
import type { Settings } from '../settings/table.js'
import type { StopLimit } from '../stopLimit.js'
import { followUpsBy } from '../trace/followUps.js'
import type { Outcome } from '../trace/outcome.js'
import { Results } from '../trace/results.js'
import { Revocations } from '../trace/revocations.js'
import { inRunSpan } from '../trace/runSpan.js'
import { type SettleOptions, settle } from '../trace/settle.js'
import { isTracing } from '../tracing.js'
import { type AttemptOptions, attempt } from './attempt.js'
import { conclude } from './conclude.js'
import { Pool } from './pool.js'
import { Revoking } from './revoking.js'
import { Standstill } from './standstill.js'
import { written } from './written.js'

export interface LineOptions {
  readonly app: App
  /** The app's hooks as the worker calls them. By default, the app's own. */
  readonly hooks?: Hooks
  readonly settings: Settings
  readonly nodename: string
  readonly state: WorkerState
  readonly executor: Executor
  readonly backend: Backend
  readonly events: TaskEvents
  readonly revoked: Revoked
  readonly publisher: Publisher
  readonly clock: Clock
  /** Number of slots at the start. */
  readonly slots: number
  readonly postpone: Postpone
  /** Makes sure that a queue exists. Absent where the broker needs no such thing. */
  declare?(queue: string): Promise<void> | undefined
  readonly stopLimit?: StopLimit
  /** Sends the follow-ups of tasks in a canvas. Without it nothing follows. */
  readonly canvas?: CanvasOutlet
  /** Counts runs on queues whose count of returns says little about them. */
  readonly tally?: RunTally
  log(scope: string): Logger
}

/** The path of a message: strategy -> gate -> pool -> trace -> settle. Knows no broker; deliveries enter at the top. */
export class Line {
  readonly lanes = new Lanes<Request>()
  readonly revoked: Revoked
  readonly state: WorkerState
  readonly gate: Gate
  readonly pool: Pool
  readonly standstill: Standstill
  readonly policies: Policies
  private readonly revoking: Revoking
  private readonly attempting: AttemptOptions
  private readonly settling: SettleOptions
  private readonly poison: Poison
  private readonly strategy: Strategy
  private readonly working = new AbortController()
  private readonly departures: Departures
  private readonly log: Logger

  constructor(private readonly options: LineOptions) {
    const { app, backend, clock, log, nodename, settings, slots, state } = options
    this.log = log('request')
    this.revoked = options.revoked
    this.state = state
    this.policies = new Policies(settings)
    const results = new Results({
      backend,
      clock,
      hostname: nodename,
      extended: settings.result_extended,
      policyOf: (request) => this.policies.of(request.task),
    })
    const sending = { backend, clock, hostname: nodename, results, settings, tasks: app.tasks, log: this.log }
    const followUps = followUpsBy(options.canvas, { ...sending, working: this.working.signal })
    const revocations = new Revocations({ backend, clock, limit: MOST_REVOKED, log: this.log })
    this.poison = new Poison({ ...options, maxDeliveries: settings.worker_max_deliveries, log: log('strategy') })
    this.strategy = new Strategy({
      tasks: app.tasks,
      limits: contentLimits(settings),
      canvasLimits: canvasLimits(settings),
      acksLate: (task) => this.policies.of(task).acksLate,
      poison: this.poison,
      events: options.events,
      onUnregistered: (message, delivery) =>
        results.notRegistered(message).then(() => followUps?.unregistered(message, delivery)),
      keyOf: keyFunction(settings.task_order_by),
      unorderedOnKeyError: settings.task_order_key_error === 'unordered',
      state,
      clock,
      log: log('strategy'),
    })
    this.departures = new Departures({
      ...options,
      log: this.log,
      etaMemoryLimit: settings.worker_eta_memory_limit,
      parkedLimit: settings.worker_prefetch_multiplier > 0 ? settings.worker_parked_limit : null,
      working: this.working.signal,
      onDeparted: (request) => this.gate.depart(request),
      onStayed: (request) => this.gate.stay(request),
    })
    this.gate = new Gate({
      clock,
      lanes: this.lanes,
      state,
      revoked: this.revoked,
      log: this.log,
      depthLimit: settings.worker_order_depth_limit,
      ageLimit: settings.worker_order_age_limit || null,
      pausing: { breakers: app.breakers, tasks: app.tasks },
      onAdmitted: (request) =>
        wasReceived(request.message.headers) ? options.events.returned(request) : options.events.received(request),
      onReady: (request) => this.pool.offer(request),
      together: (act) => this.pool.together(act),
      onDiscarded: async (request, reason) => settle(request, { state: 'REVOKED', reason }, this.settling),
      onEta: (request, delayMs) => this.departures.consider(request, delayMs),
    })
    this.standstill = new Standstill({ clock })
    this.pool = new Pool({
      size: slots,
      state,
      run: (request) => this.run(request),
      abandon: (request, thrown) =>
        abandon(request, thrown, { events: options.events, gate: this.gate, log: this.log, state }),
      beforeRun: () => this.standstill.check(),
      onResize: (size) => options.executor.resize(size),
    })
    this.revoking = new Revoking({ gate: this.gate, revoked: this.revoked, revocations, log: this.log })
    this.attempting = {
      ...options,
      results,
      revoked: this.revoked,
      poison: this.poison,
      policies: this.policies,
      deduplicate: settings.worker_deduplicate_successful_tasks,
      log: log('task'),
    }
    this.settling = {
      ...options,
      hooks: options.hooks ?? app.hooks,
      postpone: (message, queue, delayMs) => this.departures.postpone(message, queue, delayMs),
      results,
      policies: this.policies,
      log: this.log,
      orderHoldLimit: settings.worker_order_hold_limit,
      working: this.working.signal,
      followUps,
    }
    if (!settings.worker_disable_rate_limits)
      for (const task of app.tasks) this.gate.rates.set(task.name, rate(this.policies.of(task).rateLimit))
  }

  /** Takes in a delivery. Must be called in the order of arrival. */
  receive(delivery: Delivery): void {
    const request = this.strategy.receive(delivery)
    if (request) this.gate.admit(request)
  }

  /** Takes a request that has a slot through its run. In a child it begins later, or never, and is acknowledged then. */
  private run(request: Request): Promise<void> {
    request.cancelTimers()
    if (!request.acksLate && this.options.executor.name === 'async') request.delivery.ack()
    if (!isTracing()) return this.finish(request)
    return inRunSpan(request, this.options.nodename, (note) => this.finish(request, note))
  }

  private async finish(request: Request, note?: (outcome: Outcome) => void): Promise<void> {
    const outcome = await attempt(request, this.attempting)
    note?.(outcome)
    const settling = settle(request, outcome, this.settling)
    const settlement = settling instanceof Promise ? await settling : settling
    if (request.key !== null && request.delivery.writing) await written(request, this.options.stopLimit, this.log)
    this.poison.afterRun(request)
    conclude(request, settlement, this.gate, this.log)
  }

  /**
   * Handles lost deliveries, of a connection or of one queue, which the broker delivers again. Forgets requests that
   * haven't started; tells a run that holds an order key to stop, since its message is about to run elsewhere.
   */
  connectionLost(): void {
    for (const request of this.state.requests)
      if (request.state !== 'running' && !request.delivery.live) this.poison.returnedUnrun(request)
    this.gate.forgetLost()
    this.departures.forgetLost()
    for (const request of this.state.running) {
      if (request.delivery.live || !request.acksLate) continue
      if (request.key === null && !this.options.settings.worker_cancel_long_running_tasks_on_connection_loss) continue
      request.abort(
        new BrokerError('the message was lost with its connection or channel, and the broker delivers it again'),
      )
    }
  }

  /**
   * Keeps tasks from running. With a signal, running ones are told to stop, and killed if their pool can do that, with
   * SIGKILL at once; they store their own end. Mirrors Celery's `revoke`.
   * @param signum number of the signal; null to leave running tasks alone
   * @returns the ids of the running tasks that were told to stop
   */
  revoke(ids: readonly string[], signum: number | null = null): string[] {
    return this.revoking.byId(ids, signum)
  }

  /** Revokes, as `revoke` does, the tasks that carry one of these stamps. */
  revokeByStamps(stamps: Readonly<Record<string, readonly string[]>>, signum: number | null = null): void {
    this.revoking.byStamps(stamps, signum)
  }

  /** Starts nothing more and gives back what hasn't started. Call it once no consumer is left. */
  close(): void {
    this.pool.close()
    this.gate.close()
  }

  /** Resolves once nothing runs and no message is being sent elsewhere. */
  async idle(): Promise<void> {
    await this.pool.idle()
    await this.departures.settled()
  }

  /** Tells every run to stop. */
  abort(): void {
    const reason = new BrokerError('the worker is shutting down')
    this.working.abort(reason)
    for (const request of this.state.running) request.abort(reason)
  }
}
