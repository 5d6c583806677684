import type { Reject, Retry } from '../app/predicate.js'
import type { RevokeReason } from '../request/request.js'

/** expected: an error of the task's `throws`. timeout: the hard time limit. lost: the process that ran it died. */
export type FailureKind = 'expected' | 'unexpected' | 'timeout' | 'lost'

/** How a run ended: a value, so that one function can settle them all. */
export type Outcome =
  | { readonly state: 'SUCCESS'; readonly result: unknown; readonly runtimeMs: number }
  | { readonly state: 'FAILURE'; readonly kind: FailureKind; readonly error: Error; readonly runtimeMs: number }
  | { readonly state: 'RETRY'; readonly retry: Retry; readonly runtimeMs: number }
  | { readonly state: 'IGNORED'; readonly runtimeMs: number }
  | { readonly state: 'REJECTED'; readonly reject: Reject; readonly runtimeMs: number }
  /** The task never ran, or was stopped by `revoke(terminate=True)`. */
  | { readonly state: 'REVOKED'; readonly reason: RevokeReason }
  /** The task was delivered again although it had succeeded; with `worker_deduplicate_successful_tasks`. */
  | { readonly state: 'DUPLICATE' }
  /** Another copy of this message, the body of a chord, has run or runs. */
  | { readonly state: 'COPY' }
  /** The task was told to end, by a cold stop or a lost connection, and did; the broker delivers its message again. */
  | { readonly state: 'ABORTED'; readonly error: Error; readonly runtimeMs: number }
