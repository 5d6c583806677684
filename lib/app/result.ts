import type { GroupStore } from '../ports.js'
import type { ResultTuple } from '../protocol/result.js'
import type { ResultSource } from './stateWatch.js'

/** How `AsyncResult.states` waits. */
export interface StatesOptions {
  /** Seconds to wait until the task is ready; forever if not given. */
  readonly timeout?: number
  /** Seconds between polls of the backend, in addition to its notifications; no polling if not given. */
  readonly interval?: number
  /** Ends the wait when aborted: the signal's reason is thrown. */
  readonly signal?: AbortSignal
}

/** How `AsyncResult.get` waits. */
export interface GetOptions extends StatesOptions {
  /** Whether a failure is thrown; with false it is returned as an error. */
  readonly propagate?: boolean
}

/** Options of `revoke`. */
export interface RevokeOptions {
  /** Whether to end a run that has already begun. */
  readonly terminate?: boolean
  /** The signal that ends the run, such as `SIGKILL`; SIGTERM unless given. */
  readonly signal?: string
}

/** The result of a task, or of a group. */
export interface AnyResult<T = unknown> {
  /** The id of the task or of the group. */
  readonly id: string
  /** The result of the preceding step of a workflow; null if there is none. */
  readonly parent: AnyResult | null
  /** Waits until the task or group is ready, and returns its result. */
  get(options?: GetOptions): Promise<T>
  /** Whether the task or group has succeeded, failed, or was revoked. */
  ready(): Promise<boolean>
  /** Whether the task or group has succeeded. */
  successful(): Promise<boolean>
  /** Whether the task or group has failed. */
  failed(): Promise<boolean>
  /** The results of what the task has sent, or of the members of the group. */
  children(): Promise<readonly AnyResult[]>
  /** Removes the result from the backend. */
  forget(): Promise<void>
  /** Keeps the task or group from running. */
  revoke(options?: RevokeOptions): Promise<void>
  /** Celery's tuple form. */
  toJSON(): ResultTuple
}

/** The app that a result belongs to. */
export interface ResultHome extends ResultSource {
  /** The result that a tuple describes. */
  from(tuple: ResultTuple): AnyResult
  /** Sends the command to all workers. */
  revoke(ids: readonly string[], options: RevokeOptions): Promise<void>
  /** @throws BackendError where the backend keeps no groups */
  groups(): Promise<GroupStore>
}
