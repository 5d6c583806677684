import type { App } from './app/app.js'
import { keyFunction } from './app/orderKey.js'
import { BrokerError } from './errors.js'
import { Pool } from './pool/pool.js'
import { runInSlot } from './pool/slot.js'
import type { Clock, Delivery, Logger, Publisher } from './ports.js'
import { Gate } from './request/gate.js'
import { Lanes } from './request/lanes.js'
import type { Request } from './request/request.js'
import { WorkerState } from './request/state.js'
import { Strategy } from './request/strategy.js'
import type { Settings } from './settings/table.js'
import type { Outcome } from './trace/outcome.js'
import { type Settlement, settle } from './trace/settle.js'
import { trace } from './trace/trace.js'

export interface LineOptions {
  readonly app: App
  readonly settings: Settings
  readonly nodename: string
  readonly publisher: Publisher
  readonly clock: Clock
  /** Slots to begin with. */
  readonly slots: number
  log(scope: string): Logger
}

/** The one way a message goes: strategy -> gate -> pool -> trace -> settle. It knows no broker; deliveries are put in at its top. */
export class Line {
  readonly state = new WorkerState()
  readonly lanes = new Lanes()
  readonly gate: Gate
  readonly pool: Pool
  /** Told when the last free slot is taken. */
  onFull: () => void = () => undefined
  private readonly strategy: Strategy
  private readonly working = new AbortController()
  private readonly log: Logger

  constructor(private readonly options: LineOptions) {
    const { app, clock, log, settings, slots } = options
    const { lanes, state } = this
    this.log = log('request')
    this.strategy = new Strategy({
      tasks: app.tasks,
      limits: {
        accept: settings.accept_content,
        maxSize: settings.worker_max_message_size,
        maxNesting: settings.worker_max_message_nesting,
      },
      acksLate: settings.task_acks_late,
      keyOf: keyFunction(settings.task_order_by),
      state,
      clock,
      log: log('strategy'),
    })
    this.gate = new Gate({
      clock,
      lanes,
      state,
      log: this.log,
      onReady: (request) => this.pool.offer(request),
      onExpired: (request) => void this.settle(request, { state: 'REVOKED', reason: 'expired' }),
    })
    this.pool = new Pool({ size: slots, state, run: (request) => this.run(request), onFull: () => this.onFull() })
  }

  /** Takes a delivery in; to be called in the order of arrival. */
  receive(delivery: Delivery): void {
    const request = this.strategy.receive(delivery)
    if (request) this.gate.admit(request)
  }

  /**
   * The connection is gone, and the broker gives out again whatever wasn't acknowledged. What hasn't started is forgotten;
   * a run that holds an order key is told to stop, since its message is about to run elsewhere.
   */
  connectionLost(): void {
    this.gate.forgetLost()
    for (const request of this.state.running) {
      if (request.delivery.live || !request.acksLate) continue
      if (request.key === null && !this.options.settings.worker_cancel_long_running_tasks_on_connection_loss) continue
      request.abort(new BrokerError('the connection was lost, and the broker delivers the message again'))
    }
  }

  /** Starts nothing more and gives back what hasn't started; to be called once no consumer is left. */
  close(): void {
    this.pool.close()
    this.gate.close()
  }

  /** Tells every run to stop. */
  abort(): void {
    const reason = new BrokerError('the worker is shutting down')
    this.working.abort(reason)
    for (const request of this.state.running) request.abort(reason)
  }

  private run(request: Request): Promise<void> {
    const { clock, log, nodename: hostname } = this.options
    return runInSlot(request, {
      trace: (request) => trace(request, { clock, log: log('task'), hostname }),
      settle: (request, outcome) => this.settle(request, outcome),
      conclude: (request, settlement) => this.conclude(request, settlement),
    })
  }

  private settle(request: Request, outcome: Outcome): Promise<Settlement> {
    const { clock, publisher, settings } = this.options
    return settle(request, outcome, {
      clock,
      state: this.state,
      publisher,
      log: this.log,
      orderHoldLimit: settings.worker_order_hold_limit,
      acksOnFailureOrTimeout: settings.task_acks_on_failure_or_timeout,
      working: this.working.signal,
    })
  }

  private conclude(request: Request, settlement: Settlement): void {
    switch (settlement.next) {
      case 'hold':
        this.gate.hold(request, settlement.delayMs)
        break
      case 'give-back':
        this.gate.giveBackLane(request)
        break
      case 'block':
        if (request.key !== null) this.lanes.block(request.key)
        this.log.error(
          `The order of ${request.key} is blocked by the failure of ${request.label} until an operator unblocks it`,
        )
        this.gate.release(request)
        break
      case 'release':
        this.gate.release(request)
        break
      default:
        settlement satisfies never
    }
  }
}
