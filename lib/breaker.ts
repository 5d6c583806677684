import type CircuitBreaker from 'opossum'
import { CeleriacError, coerceError } from './errors.js'
import { lazily } from './lazily.js'
import { maskSecrets } from './settings/mask.js'

const opossum = lazily<typeof CircuitBreaker>('opossum')

/** Closed: calls go through. Open: they are refused. Half open: one goes through, and decides. */
export type BreakerState = 'closed' | 'half-open' | 'open'

/** When a breaker opens and closes. The defaults are those of `app.breaker`. */
export interface BreakerOptions {
  /** Percentage: opens when more than this share of the calls in the window failed; 50 by default. */
  readonly errorThresholdPercentage?: number
  /**
   * The length of the window in milliseconds. Keep it short, so that earlier successes do not outweigh an outage;
   * 10,000 by default.
   */
  readonly windowMs?: number
  /** The fewest calls in the window that can open it; 5 by default. */
  readonly volumeThreshold?: number
  /** Milliseconds that the breaker stays open before it tries one call; 10,000 by default. */
  readonly resetTimeoutMs?: number
  /**
   * Whether an error counts. An error that says nothing about the service, such as one about an argument, should not;
   * all do by default.
   */
  readonly isFailure?: (error: unknown) => boolean
}

/** A breaker as probes, metrics and remote control show it. */
export interface BreakerInfo {
  /** The name given when the breaker was made. */
  readonly name: string
  /** Whether the breaker lets calls through. */
  readonly state: BreakerState
  /** How often the breaker has opened; a failed call while half open counts again. */
  readonly opens: number
  /** The last failure that counted, without passwords; null before the first. */
  readonly lastError: string | null
}

/** A breaker whose changes can be followed. */
export interface WatchedBreaker extends BreakerInfo {
  /** Whether a call would be refused now: the breaker is open, or half open with its one call under way. */
  readonly refuses: boolean
  /** Calls `listener` at each change of state, until the returned function is called. */
  onChange(listener: (state: BreakerState) => void): () => void
}

/** A breaker that may also guard calls of other processes. */
export interface ObservedBreaker extends WatchedBreaker {
  /** Calls `listener` at the end of each call, with the error if it counts as a failure, until the returned function is called. */
  onCall(listener: (failure: Error | null) => void): () => void
  /** Counts a call that was made in another process. While open the breaker counts nothing. */
  observe(failure: Error | null): void
  /** Takes over a state that was decided in another process: open, or not. */
  follow(state: BreakerState): void
}

/** One async function, with a guard that stops calling it while it fails. */
export interface Breaker<Args extends unknown[], Result> extends ObservedBreaker {
  /** @throws BreakerOpen without having called the function; else what the function throws */
  run(...args: Args): Promise<Result>
  /** Clears its timers; every later call is refused. */
  stop(): void
}

/** Thrown instead of calling the function, because recent calls failed. */
export class BreakerOpen extends CeleriacError {
  constructor(name: string) {
    super('CELERIAC_BREAKER_OPEN', `${name}: not tried, because recent calls failed`, {
      retriable: true,
      facts: { breaker: name },
    })
  }
}

const REFUSED: ReadonlySet<unknown> = new Set(['EOPENBREAKER', 'ESHUTDOWN'])
/** An error's text may be a whole page of HTML. */
const LONGEST_ERROR = 300
/** How long all other calls are refused while one is let through to see whether its kind succeeds again. */
const TRIAL_MS = 60_000
const CHANGES = { open: 'open', halfOpen: 'half-open', close: 'closed' } as const

/** A circuit breaker around `fn`. */
export function createBreaker<Args extends unknown[], Result>(
  name: string,
  fn: (...args: Args) => Promise<Result>,
  options: BreakerOptions = {},
): Breaker<Args, Result> {
  const { isFailure = () => true } = options
  const counted = new WeakSet<Error>()
  // If `isFailure` throws, the error counts as a failure, as all errors do by default; the breaker must not fail
  // instead.
  const counts = (error: unknown): boolean => {
    try {
      return isFailure(error)
    } catch {
      return true
    }
  }
  const circuit = new (opossum())((call: () => Promise<unknown>) => call(), {
    name,
    // The functions have their own time limits; giving up on a call here would not end it.
    timeout: false,
    errorThresholdPercentage: options.errorThresholdPercentage ?? 50,
    rollingCountTimeout: options.windowMs ?? 1000,
    rollingCountBuckets: 10,
    // Nobody reads them, and sorting a second's latencies ten times a second is a cost that shows.
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    volumeThreshold: options.volumeThreshold ?? 2,
    resetTimeout: options.resetTimeoutMs ?? 1000,
    errorFilter: (error) => !counted.has(error) && !counts(error),
  })
  let opens = 0
  let lastError: string | null = null
  circuit.on('open', () => opens++)
  // A call that never ends would keep the breaker half-open, which refuses all others, forever.
  let trial: NodeJS.Timeout | undefined
  circuit.on('fire', () => {
    if (!circuit.halfOpen || !circuit.pendingClose) return
    trial = setTimeout(() => {
      if (!circuit.halfOpen) return
      lastError = `a call that was let through did not end within ${TRIAL_MS / 1000} s`
      circuit.open()
    }, TRIAL_MS).unref()
  })
  circuit.on('open', () => clearTimeout(trial))
  circuit.on('close', () => clearTimeout(trial))
  circuit.on('failure', (error) => {
    lastError = shownError(error)
  })
  return {
    name,
    get state() {
      if (circuit.opened) return 'open'
      return circuit.halfOpen ? 'half-open' : 'closed'
    },
    get refuses() {
      return circuit.opened || (circuit.halfOpen && !circuit.pendingClose)
    },
    get opens() {
      return opens
    },
    get lastError() {
      return lastError
    },
    async run(...args) {
      try {
        return (await circuit.fire(() => fn(...args))) as Result
      } catch (thrown) {
        throw isRefusal(thrown) ? new BreakerOpen(name) : thrown
      }
    },
    onChange(listener) {
      const entries = Object.entries(CHANGES).map(([event, state]) => ({ event, listen: () => listener(state) }))
      for (const { event, listen } of entries) circuit.on(event as 'open', listen)
      return () => {
        for (const { event, listen } of entries) circuit.off(event, listen)
      }
    },
    onCall(listener) {
      const onSuccess = (): void => listener(null)
      const onFailure = (error: unknown): void => listener(coerceError(error))
      circuit.on('success', onSuccess)
      circuit.on('failure', onFailure)
      return () => {
        circuit.off('success', onSuccess)
        circuit.off('failure', onFailure)
      }
    },
    observe(failure) {
      // Whether the failure counts was decided in the other process, by its class there.
      if (failure) counted.add(failure)
      const end = async (): Promise<void> => {
        if (failure) throw failure
      }
      // The caller has already been given the outcome.
      circuit.fire(end).catch(() => undefined)
    },
    follow(state) {
      if (state === 'open') circuit.open()
      else circuit.close()
    },
    stop: () => circuit.shutdown(),
  }
}

function isRefusal(thrown: unknown): boolean {
  try {
    return REFUSED.has((thrown as { code?: unknown } | null)?.code)
  } catch {
    // A thrown value may itself throw when it is read.
    return false
  }
}

/** An error's text for a breaker's `lastError`: of bounded length, and without the passwords of URLs. */
export function shownError(thrown: unknown): string {
  return maskSecrets(coerceError(thrown).message, []).slice(0, LONGEST_ERROR)
}
