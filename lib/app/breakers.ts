import type { BreakerState, ObservedBreaker } from '../breaker.js'

/** Names that the worker uses for its own breakers. */
const TAKEN: ReadonlySet<string> = new Set(['results', 'publisher'])

/** A call that a breaker has let through, and how it ended. */
export interface GuardedCall {
  readonly breaker: string
  /** The error's text if it counts as a failure. */
  readonly failure: string | null
}

/**
 * The breakers of an app by name, in the order in which they were made. Where tasks run in children, each child has its
 * own copies: they report their calls to the worker, the worker's breakers decide, and the copies follow when the next
 * task begins.
 */
export class Breakers {
  private readonly known = new Map<string, ObservedBreaker>()

  /** @throws TypeError for a name that is empty or taken */
  add(breaker: ObservedBreaker): void {
    const { name } = breaker
    if (name === '') throw new TypeError('a breaker needs a name, such as "build-system"')
    if (TAKEN.has(name)) throw new TypeError(`a breaker can't be called ${name}: the worker has one of that name`)
    if (this.known.has(name)) throw new TypeError(`there is a breaker ${name} already`)
    this.known.set(name, breaker)
  }

  get(name: string): ObservedBreaker | null {
    return this.known.get(name) ?? null
  }

  /** The states by name. */
  get states(): Readonly<Record<string, BreakerState>> {
    return Object.fromEntries([...this.known.values()].map(({ name, state }) => [name, state]))
  }

  /** Counts calls that were made in a child. */
  count(calls: readonly GuardedCall[]): void {
    for (const { breaker, failure } of calls) {
      this.known.get(breaker)?.observe(failure === null ? null : new Error(failure))
    }
  }

  /** In a child, takes over the worker's states. */
  follow(states: Readonly<Record<string, BreakerState>>): void {
    for (const [name, state] of Object.entries(states)) this.known.get(name)?.follow(state)
  }

  [Symbol.iterator](): Iterator<ObservedBreaker> {
    return this.known.values()
  }
}
