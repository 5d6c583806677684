import { BrokerError, coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import type { Request } from '../request/request.js'
import type { Outcome } from '../trace/outcome.js'

/** Time limits of a task in seconds; null for none. */
export interface TimeLimits {
  readonly soft: number | null
  readonly hard: number | null
}

/** What a run needs from the worker. */
export interface RunHooks {
  readonly limits: TimeLimits
  /** The task's own log. */
  readonly log: Logger
  /**
   * Must be called once, when the body is about to run and the request knows its start time and process. Never throws.
   */
  onStart(): void
  /**
   * Stores a state that the task itself reports; resolves once it is stored.
   * @throws CeleriacError if it can't be stored
   */
  updateState(state: string, meta: unknown): Promise<void>
}

/** Runs the code of tasks. */
export interface Executor {
  readonly name: 'async' | 'threads' | 'prefork'
  /** @throws ConfigurationError if the app can't be loaded where tasks run */
  start(): Promise<void>
  /** Kills tasks that still run. Idempotent, and allowed before `start`. */
  stop(): Promise<void>
  /** Milliseconds that the app's resources may take to close, in addition to the pool's own time. */
  readonly extraStopMs: number
  /**
   * Runs a request's task under its limits. Never throws: whatever happens becomes an outcome, at once where the task
   * returns its result and not a promise of it.
   */
  run(request: Request, hooks: RunHooks): Outcome | Promise<Outcome>
  /** Changes how many tasks can run at a time. */
  resize(size: number): void
  /**
   * Returns its part of `pool` in `inspect stats`: its kind, how many tasks it runs at a time, and in which processes
   * or threads.
   */
  describe(): Record<string, unknown>
}

export const softLimitText = (seconds: number, label: string): string =>
  `Soft time limit (${seconds}s) exceeded for ${label}`
export const hardLimitText = (seconds: number, label: string): string =>
  `Hard time limit (${seconds}s) exceeded for ${label}`

/** Returns the error for a state that code reports after its task has ended. */
export function tooLate(state: string): Error {
  return new Error(`The state ${state} is not stored: the task that reports it has ended`)
}

/** Returns why a request that has waited for its turn must not run after all; null if it may. */
export function refusalOf(request: Request): Error | null {
  if (request.aborted) return coerceError(request.signal.reason)
  if (request.delivery.settled || request.delivery.live) return null
  return new BrokerError('the message was lost before it ran, and the broker delivers it again')
}
