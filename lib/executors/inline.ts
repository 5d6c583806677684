import type { Clock, Logger } from '../ports.js'
import type { Request } from '../request/request.js'
import { withLimits } from '../trace/limits.js'
import type { Outcome } from '../trace/outcome.js'
import { trace } from '../trace/trace.js'
import { type Executor, hardLimitText, type RunHooks, softLimitText } from './executor.js'

export interface InlineOptions {
  readonly clock: Clock
  /** The worker's log, for the lines about limits. */
  readonly log: Logger
  /** Node name. */
  readonly hostname: string
  readonly size: number
  /** Told of a run that goes on past its hard limit, and again when it has ended. */
  onStray(by: 1 | -1): void
}

/** The async pool: tasks run in the worker's own process, each a promise. */
export class InlineExecutor implements Executor {
  readonly name = 'async'
  private size: number

  constructor(private readonly options: InlineOptions) {
    this.size = options.size
  }

  async start(): Promise<void> {
    // Nothing has to be there before a promise can run.
  }

  async stop(): Promise<void> {
    // A promise can't be killed; the line has aborted its signal.
  }

  run(request: Request, { limits, log: taskLog, onStart, updateState }: RunHooks): Promise<Outcome> {
    const { clock, hostname, log, onStray } = this.options
    const { soft, hard } = limits
    const options = { clock, hostname, log: taskLog, onStart, updateState }
    if (soft === null && hard === null) return trace(request, options)
    const controller = new AbortController()
    return withLimits(() => trace(request, { ...options, limit: controller.signal }), {
      softMs: soft === null ? null : soft * 1000,
      hardMs: hard === null ? null : hard * 1000,
      clock,
      abort: (reason) => controller.abort(reason),
      onSoft: () => log.warning(softLimitText(soft ?? 0, request.label)),
      onHard: () => log.error(hardLimitText(hard ?? 0, request.label)),
      onStray,
    })
  }

  resize(size: number): void {
    this.size = size
  }

  describe(): Record<string, unknown> {
    // Monitors count `processes`: there is one entry a slot, each of them this process.
    const processes = Array.from({ length: this.size }, () => process.pid)
    return { implementation: 'celeriac:async', 'max-concurrency': this.size, processes }
  }
}
