import type { Hooks } from '../app/hooks/hooks.js'
import type { Component } from '../component.js'
import type { Clock, Logger } from '../ports.js'
import type { Settings } from '../settings/table.js'

/** Reason for a stop, as passed to `workerShuttingDown`. */
export interface StopCause {
  /** Signal that asked for the stop. */
  readonly sig: NodeJS.Signals
  /** Exit code of the process, as far as it is known. */
  readonly exitcode: number
}

export interface WorkerHooksOptions {
  readonly app: { readonly hooks: Hooks }
  readonly settings: Settings
  readonly nodename: string
  readonly clock: Clock
  log(scope: string): Logger
}

/** Calls an app's hooks for the worker's own life. Starts first after the probes, and stops last before them. */
export class WorkerHooks implements Component {
  readonly name = 'hooks'
  /** The app's hooks as this worker calls them. */
  readonly own: Hooks
  private begun = false
  private isReady = false

  constructor(private readonly options: WorkerHooksOptions) {
    const { app, clock, log, settings } = options
    this.own = app.hooks.by({ timeoutMs: settings.worker_hook_timeout * 1000, log: log('hooks'), clock })
  }

  /**
   * Milliseconds for hooks that nobody waits for while tasks run, and then for those of the shutdown, one after
   * another.
   */
  get extraStopMs(): number {
    const { own } = this
    return (own.longest + own.count('workerShutdown')) * this.options.settings.worker_hook_timeout * 1000
  }

  async start(): Promise<void> {
    if (this.begun) return
    this.begun = true
    await this.own.tell('workerInit', () => this.facts)
  }

  /** Must be called each time that the worker begins to consume; as in Celery, only the first calls hooks. */
  ready(): void {
    if (this.isReady) return
    this.isReady = true
    this.own.note('workerReady', () => this.facts)
  }

  /** Calls the hooks when the stop begins. */
  shuttingDown(how: 'Warm' | 'Cold', cause: StopCause | null): void {
    const { sig = null, exitcode = 0 } = cause ?? {}
    this.own.note('workerShuttingDown', () => ({ ...this.facts, how, sig, exitcode }))
  }

  async stop(): Promise<void> {
    if (!this.begun) return
    this.begun = false
    await this.own.settled()
    await this.own.tell('workerShutdown', () => this.facts)
  }

  private get facts(): { readonly hostname: string } {
    return { hostname: this.options.nodename }
  }
}
