import CircuitBreaker from 'opossum'
import { CeleriacError } from './errors.js'

/** Closed: calls go through. Open: they are refused. Half open: one goes through, and decides. */
export type BreakerState = 'closed' | 'half-open' | 'open'

export interface BreakerOptions {
  /** Opens when more than this share of the calls in the window failed; 50 by default. */
  readonly errorThresholdPercentage?: number
  /** How far back it looks. Short, so that many successes of a moment ago don't outweigh an outage; 1 s by default. */
  readonly windowMs?: number
  /** The fewest calls in the window that can open it; 2 by default. */
  readonly volumeThreshold?: number
  /** How long it stays open before it tries one call; 1 s by default. */
  readonly resetTimeoutMs?: number
  /** Errors that say nothing about the other side, such as one about the argument, are not counted. */
  readonly isFailure?: (error: unknown) => boolean
}

/** One async function, with a guard that stops calling it while it fails. */
export interface Breaker<Args extends unknown[], Result> {
  readonly name: string
  readonly state: BreakerState
  /** @throws BreakerOpen without having called the function; else what the function throws */
  run(...args: Args): Promise<Result>
  /** Calls `listener` at each change of state, until the returned function is called. */
  onChange(listener: (state: BreakerState) => void): () => void
  /** Clears its timers; every later call is refused. */
  stop(): void
}

/** The call was not made, because recent ones failed. */
export class BreakerOpen extends CeleriacError {
  constructor(name: string) {
    super('CELERIAC_BREAKER_OPEN', `${name}: not tried, because recent calls failed`, {
      retriable: true,
      facts: { breaker: name },
    })
  }
}

const REFUSED: ReadonlySet<unknown> = new Set(['EOPENBREAKER', 'ESHUTDOWN'])
const CHANGES = { open: 'open', halfOpen: 'half-open', close: 'closed' } as const

/** A circuit breaker around `fn`. */
export function createBreaker<Args extends unknown[], Result>(
  name: string,
  fn: (...args: Args) => Promise<Result>,
  options: BreakerOptions = {},
): Breaker<Args, Result> {
  const { isFailure = () => true } = options
  const circuit = new CircuitBreaker(fn, {
    name,
    // The functions have their own limits; giving up on a call here would not end it.
    timeout: false,
    errorThresholdPercentage: options.errorThresholdPercentage ?? 50,
    rollingCountTimeout: options.windowMs ?? 1000,
    rollingCountBuckets: 10,
    volumeThreshold: options.volumeThreshold ?? 2,
    resetTimeout: options.resetTimeoutMs ?? 1000,
    errorFilter: (error) => !isFailure(error),
  })
  return {
    name,
    get state() {
      if (circuit.opened) return 'open'
      return circuit.halfOpen ? 'half-open' : 'closed'
    },
    async run(...args) {
      try {
        return await circuit.fire(...args)
      } catch (thrown) {
        throw REFUSED.has((thrown as { code?: unknown } | null)?.code) ? new BreakerOpen(name) : thrown
      }
    },
    onChange(listener) {
      const entries = Object.entries(CHANGES).map(([event, state]) => ({ event, listen: () => listener(state) }))
      for (const { event, listen } of entries) circuit.on(event as 'open', listen)
      return () => {
        for (const { event, listen } of entries) circuit.off(event, listen)
      }
    },
    stop: () => circuit.shutdown(),
  }
}
