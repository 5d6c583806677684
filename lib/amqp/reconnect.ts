const FIRST_DELAY_MS = 250
/** An epoch that stayed open this long counts as a success: the next attempt follows without a pause, and the backoff starts from the beginning. */
const STABLE_AFTER_MS = 1000

/** The history of a connection's attempts. */
export interface Attempts {
  /** Failed attempts since the last epoch that lasted. */
  readonly failed: number
  /** Index of the URL that is tried next. */
  readonly url: number
  /** Whether the connection was ever up. */
  readonly hasBeenUp: boolean
}

/** Before the first attempt. */
export const NO_ATTEMPTS: Attempts = { failed: 0, url: 0, hasBeenUp: false }

/** How an attempt ended: the connection couldn't be built, or was up and is lost. */
export type AttemptOutcome = { readonly is: 'failed' } | { readonly is: 'lost'; readonly lastedMs: number }

/** How often to try to connect, and how long to wait in between. */
export interface Retrying {
  /** The number of URLs, which are tried in turn. */
  readonly urls: number
  /** Attempts before giving up; null for no limit. */
  readonly maxRetries: number | null
  /** The limit for a connection that has been up, if it differs. */
  readonly laterRetries?: number | null
  /** The longest pause between two attempts. */
  readonly maxDelayMs: number
  /** Whether to try again before the connection was ever up, and after it was; both by default. */
  readonly retries?: { readonly atStart: boolean; readonly later: boolean }
}

/**
 * What to do next. `most`: attempts before giving up. `failover`: the next URL of the list at once. The connection
 * gives up because of `maxRetries`, or because retries are off.
 */
export type NextStep =
  | { readonly does: 'retry'; readonly delayMs: number; readonly most: number | null }
  | { readonly does: 'failover' }
  | { readonly does: 'give up'; readonly because: 'attempts' | 'disabled' }

/**
 * Decides what follows an attempt to hold a connection. Pauses are between whole rounds of the list: they double up to
 * the limit, and vary by a fifth so that the workers of a fleet don't all return at once.
 * @param random from 0 to 1
 */
export function next(
  { failed, hasBeenUp, url }: Attempts,
  outcome: AttemptOutcome,
  { laterRetries, maxDelayMs, maxRetries, retries = { atStart: true, later: true }, urls }: Retrying,
  random: () => number = Math.random,
): { readonly attempts: Attempts; readonly step: NextStep } {
  const most = (hasBeenUp || outcome.is === 'lost') && laterRetries !== undefined ? laterRetries : maxRetries
  if (outcome.is === 'lost') {
    // Otherwise a connection that breaks as soon as it is up would be rebuilt over and over without a pause.
    const count = outcome.lastedMs < STABLE_AFTER_MS ? failed + 1 : 0
    const attempts = { failed: count, url, hasBeenUp: true }
    if (!retries.later) return { attempts, step: { does: 'give up', because: 'disabled' } }
    return { attempts, step: { does: 'retry', delayMs: count > 1 ? delay(count, maxDelayMs, random) : 0, most } }
  }
  const attempts = { failed: failed + 1, url: (url + 1) % urls, hasBeenUp }
  if (most !== null && attempts.failed > most) {
    return { attempts, step: { does: 'give up', because: 'attempts' } }
  }
  if (attempts.url !== 0) return { attempts, step: { does: 'failover' } }
  if (!(hasBeenUp ? retries.later : retries.atStart)) {
    return { attempts, step: { does: 'give up', because: 'disabled' } }
  }
  return { attempts, step: { does: 'retry', delayMs: delay(attempts.failed, maxDelayMs, random), most } }
}

function delay(failed: number, maxDelayMs: number, random: () => number): number {
  const full = Math.min(maxDelayMs / 1.2, FIRST_DELAY_MS * 2 ** Math.min(failed, 16))
  return full * (0.8 + random() * 0.4)
}
