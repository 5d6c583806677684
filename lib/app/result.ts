import type { GroupStore } from '../ports.js'
import type { ResultTuple } from '../protocol/result.js'
import type { ResultSource } from './stateWatch.js'

/** How `AsyncResult.states` waits. */
export interface StatesOptions {
  /** Seconds to wait until the task is ready; for ever if not given. */
  readonly timeout?: number
  /** Seconds between two looks at the backend, beside what it tells by itself; none if not given. */
  readonly interval?: number
  /** Ends the wait when it is aborted: its reason is thrown. */
  readonly signal?: AbortSignal
}

/** How `AsyncResult.get` waits. */
export interface GetOptions extends StatesOptions {
  /** False: a failure is returned as an error instead of thrown. */
  readonly propagate?: boolean
}

/** How `revoke` does it. */
export interface RevokeOptions {
  /** Whether a run is ended that has begun already. */
  readonly terminate?: boolean
  /** The signal that ends it, such as `SIGKILL`; SIGTERM unless given. */
  readonly signal?: string
}

/** What becomes of a task, or of a group. */
export interface AnyResult<T = unknown> {
  /** Of the task, or of the group. */
  readonly id: string
  /** What came before it in a workflow; null for nothing. */
  readonly parent: AnyResult | null
  /** Waits until it is ready, and gives what it gave. */
  get(options?: GetOptions): Promise<T>
  /** Whether it has succeeded, failed, or was revoked. */
  ready(): Promise<boolean>
  /** Whether it has succeeded. */
  successful(): Promise<boolean>
  /** Whether it has failed. */
  failed(): Promise<boolean>
  /** What the task has sent, or the members of the group. */
  children(): Promise<readonly AnyResult[]>
  /** Removes what is kept of it. */
  forget(): Promise<void>
  /** Keeps it from running. */
  revoke(options?: RevokeOptions): Promise<void>
  /** Celery's tuple form. */
  toJSON(): ResultTuple
}

/** The app that a result belongs to. */
export interface ResultHome extends ResultSource {
  /** The result that a tuple stands for. */
  from(tuple: ResultTuple): AnyResult
  /** Tells all workers. */
  revoke(ids: readonly string[], options: RevokeOptions): Promise<void>
  /** @throws BackendError where the backend keeps no groups */
  groups(): GroupStore
}
