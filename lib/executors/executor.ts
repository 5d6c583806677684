import type { Logger } from '../ports.js'
import type { Request } from '../request/request.js'
import type { Outcome } from '../trace/outcome.js'

/** A task's time limits in seconds; null for none. */
export interface TimeLimits {
  readonly soft: number | null
  readonly hard: number | null
}

/** What a run needs from outside. */
export interface RunHooks {
  readonly limits: TimeLimits
  /** The task's own log. */
  readonly log: Logger
  /** To be called once, when the body is about to run, and the request knows since when and in which process. Never throws. */
  onStart(): void
  /**
   * Stores a state of the task's own; resolves once it is stored.
   * @throws CeleriacError when it can't be
   */
  updateState(state: string, meta: unknown): Promise<void>
}

/** Where tasks run. */
export interface Executor {
  readonly name: 'async' | 'threads' | 'prefork'
  /** @throws ConfigurationError if the app can't be loaded where it is to run */
  start(): Promise<void>
  /** Kills what still runs. Idempotent, and allowed before `start`. */
  stop(): Promise<void>
  /** Milliseconds that the app's resources may take to close, beyond what the pool itself takes. */
  readonly extraStopMs: number
  /** Runs a request's task under its limits. Never throws: whatever happens is an outcome. */
  run(request: Request, hooks: RunHooks): Promise<Outcome>
  /** Changes how many tasks can run at a time. */
  resize(size: number): void
  /** What it adds to the `pool` of `inspect stats`: what it is, how many tasks it runs at a time, and in which processes or threads. */
  describe(): Record<string, unknown>
}

export const softLimitText = (seconds: number, label: string): string =>
  `Soft time limit (${seconds}s) exceeded for ${label}`
export const hardLimitText = (seconds: number, label: string): string =>
  `Hard time limit (${seconds}s) exceeded for ${label}`
