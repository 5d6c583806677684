import type { Hooks } from '../app/hooks/hooks.js'
import type { Component } from '../component.js'
import type { Clock, Logger } from '../ports.js'
import type { Settings } from '../settings/table.js'

/** Why a worker is to stop, for `workerShuttingDown`. */
export interface StopCause {
  /** The signal that asked for it. */
  readonly sig: NodeJS.Signals
  /** What the process ends with, as far as is known. */
  readonly exitcode: number
}

export interface WorkerHooksOptions {
  readonly app: { readonly hooks: Hooks }
  readonly settings: Settings
  readonly nodename: string
  readonly clock: Clock
  log(scope: string): Logger
}

/** Tells an app's hooks of the worker's own life. The first component to start after the probes, and the last but them to stop. */
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

  /** Those that nobody waits for while tasks run, and then those of the shutdown, one after another. */
  get extraStopMs(): number {
    const { own } = this
    return (own.longest + own.count('workerShutdown')) * this.options.settings.worker_hook_timeout * 1000
  }

  async start(): Promise<void> {
    if (this.begun) return
    this.begun = true
    await this.own.tell('workerInit', () => this.facts)
  }

  /** To be called each time that the worker consumes; as in Celery, hooks are told of the first. */
  ready(): void {
    if (this.isReady) return
    this.isReady = true
    this.own.note('workerReady', () => this.facts)
  }

  /** The stop begins. */
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
