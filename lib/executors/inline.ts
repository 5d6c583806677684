import type { Hooks } from '../app/hooks/hooks.js'
import type { Middlewares } from '../app/middleware.js'
import type { Resources } from '../app/resources.js'
import { coerceError } from '../errors.js'
import type { Clock, Logger } from '../ports.js'
import type { Request } from '../request/request.js'
import { withLimits } from '../trace/limits.js'
import type { Outcome } from '../trace/outcome.js'
import { tellBegin, tellEnd } from '../trace/runHooks.js'
import { requestInfo, trace } from '../trace/trace.js'
import { TryLimit } from '../trace/tryLimit.js'
import { type Executor, hardLimitText, type RunHooks, softLimitText } from './executor.js'

/** What an app runs around the handlers of its tasks. */
export interface AppAround {
  readonly middleware: Middlewares
  readonly resources: Resources
}

export interface InlineOptions {
  readonly app: AppAround
  /** The app's hooks as the worker calls them. */
  readonly hooks: Hooks
  /** Milliseconds that a resource may take to open, or to close. */
  readonly resourceTimeoutMs: number
  readonly clock: Clock
  /** The worker's log, for the lines about limits. */
  readonly log: Logger
  /** Node name. */
  readonly hostname: string
  readonly size: number
  /** Called with 1 for a run that continues past its hard limit, and with -1 when it has ended. */
  onStray(by: 1 | -1): void
}

/** The async pool: tasks run in the worker's own process, each as a promise. */
export class InlineExecutor implements Executor {
  readonly name = 'async'
  private size: number
  /** The opening of the resources; null before it, and after the stop. */
  private opening: Promise<void> | null = null

  constructor(private readonly options: InlineOptions) {
    this.size = options.size
  }

  async start(): Promise<void> {
    const { app, hooks, hostname } = this.options
    this.opening = app.resources.start(this.terms)
    await this.opening
    await hooks.tell('workerProcessInit', () => ({ hostname }))
  }

  async stop(): Promise<void> {
    // A promise can't be killed; the line has aborted its signal.
    const { opening } = this
    this.opening = null
    const isOpen = await opening?.then(
      () => true,
      () => false,
    )
    if (isOpen) await this.options.app.resources.stop(this.terms)
  }

  get extraStopMs(): number {
    return this.options.app.resources.count * this.options.resourceTimeoutMs
  }

  run(request: Request, run: RunHooks): Outcome | Promise<Outcome> {
    return this.options.hooks.any ? this.runHooked(request, run) : this.runLimited(request, run)
  }

  /** Hooks have a time limit of their own: the task's limits are those of its handler. */
  private async runHooked(request: Request, run: RunHooks): Promise<Outcome> {
    const { clock, hooks, hostname } = this.options
    if (request.isExpired(clock)) return { state: 'REVOKED', reason: 'expired' }
    const { children, task } = request
    const hooked = { hooks, task, request: requestInfo(request, hostname), children }
    request.failureTold = false
    await tellBegin(hooked)
    const outcome: Outcome = request.aborted
      ? { state: 'ABORTED', error: coerceError(request.signal.reason), runtimeMs: 0 }
      : await this.runLimited(request, run)
    await tellEnd(hooked, outcome)
    request.failureTold = outcome.state === 'FAILURE'
    return outcome
  }

  private runLimited(request: Request, run: RunHooks): Outcome | Promise<Outcome> {
    const { clock, log, onStray } = this.options
    const { soft, hard } = run.limits
    if (soft === null && hard === null) return trace(request, run, this.options)
    const limit = new TryLimit()
    const traced = async (): Promise<Outcome> => {
      try {
        return await trace(request, run, this.options, limit)
      } finally {
        limit.end()
      }
    }
    return withLimits(traced, {
      softMs: soft === null ? null : soft * 1000,
      hardMs: hard === null ? null : hard * 1000,
      clock,
      abort: (reason) => limit.abort(reason),
      onSoft: () => log.warning(softLimitText(soft ?? 0, request.label)),
      onHard: () => {
        limit.isOver = true
        log.error(hardLimitText(hard ?? 0, request.label))
      },
      onStray,
    })
  }

  private get terms(): { readonly timeoutMs: number; readonly log: Logger; readonly clock: Clock } {
    const { clock, log, resourceTimeoutMs: timeoutMs } = this.options
    return { clock, log, timeoutMs }
  }

  resize(size: number): void {
    this.size = size
  }

  describe(): Record<string, unknown> {
    // Monitors count `processes`: it has one entry per slot, each of them this process.
    const processes = Array.from({ length: this.size }, () => process.pid)
    return { implementation: 'celeriac:async', 'max-concurrency': this.size, processes }
  }
}
