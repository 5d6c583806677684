const FIRST_DELAY_MS = 250
/** An epoch that stayed open this long counts as a success: the next attempt follows without a pause, and the backoff starts from the beginning. */
const STABLE_AFTER_MS = 1000

/** What a connection has behind it. */
export interface Attempts {
  /** Attempts that came to nothing, since the last epoch that lasted. */
  readonly failed: number
  /** Of the URL that is tried next. */
  readonly url: number
  /** Whether it was ever up. */
  readonly hasBeenUp: boolean
}

/** Nothing was tried yet. */
export const NO_ATTEMPTS: Attempts = { failed: 0, url: 0, hasBeenUp: false }

/** How an attempt ended: it couldn't be built, or it was up and is lost. */
export type AttemptOutcome = { readonly is: 'failed' } | { readonly is: 'lost'; readonly lastedMs: number }

/** How often to try, and how long to wait in between. */
export interface Retrying {
  /** The number of URLs, which are tried in turn. */
  readonly urls: number
  /** Attempts after which it is given up; null for no end. */
  readonly maxRetries: number | null
  /** The same for a connection that has been up, where it differs. */
  readonly laterRetries?: number | null
  /** The longest pause between two attempts. */
  readonly maxDelayMs: number
  /** Whether to try again before it was ever up, and once it was; both if not given. */
  readonly retries?: { readonly atStart: boolean; readonly later: boolean }
}

/** What to do next. `most`: attempts after which it is given up. `failover`: the next URL of the list at once. Given up because of `maxRetries`, or because trying again is off. */
export type NextStep =
  | { readonly does: 'retry'; readonly delayMs: number; readonly most: number | null }
  | { readonly does: 'failover' }
  | { readonly does: 'give up'; readonly because: 'attempts' | 'disabled' }

/**
 * Decides what follows an attempt to hold a connection. Pauses are between whole rounds of the list: they double up to the cap,
 * and are spread by a fifth so that a fleet doesn't come back all at once.
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
    // One that breaks as soon as it is up would otherwise be built over and over without a pause.
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
