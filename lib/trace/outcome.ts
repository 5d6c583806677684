import type { Reject, Retry } from '../app/predicate.js'

/** How a run ended: a value, so that one function can settle them all. */
export type Outcome =
  | { readonly state: 'SUCCESS'; readonly result: unknown; readonly runtimeMs: number }
  | { readonly state: 'FAILURE'; readonly error: Error; readonly runtimeMs: number }
  | { readonly state: 'RETRY'; readonly retry: Retry; readonly runtimeMs: number }
  | { readonly state: 'IGNORED'; readonly runtimeMs: number }
  | { readonly state: 'REJECTED'; readonly reject: Reject; readonly runtimeMs: number }
  /** It never ran. */
  | { readonly state: 'REVOKED'; readonly reason: 'expired' }
  /** It was told to end, because of a cold stop or a lost connection, and did; the broker gives its message out again. */
  | { readonly state: 'ABORTED'; readonly error: Error; readonly runtimeMs: number }
