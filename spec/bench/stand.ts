import { Releasers } from '../packit/releasers.js'
import type { Rabbitmq } from '../support/rabbitmq.js'
import type { Redis } from '../support/redis.js'
import { waitFor } from '../support/waitFor.js'
import type { Desk } from './desk.js'

/** How much is measured. */
export interface Scale {
  readonly quick: boolean
  /** Rounds of each comparison. */
  readonly rounds: number
  /** For what differs much from one round to the next. */
  readonly manyRounds: number
  /** Messages in a backlog that is drained as fast as can be. */
  readonly backlog: number
  /** Messages that a worker runs before it is measured, so that its code is compiled and its connections are open. */
  readonly warmUp: number
  /** A slow worker isn't measured for longer than this, in milliseconds. */
  readonly limitMs: number
}

export const FULL: Scale = { quick: false, rounds: 3, manyRounds: 5, backlog: 20_000, warmUp: 3000, limitMs: 2500 }
export const QUICK: Scale = { quick: true, rounds: 1, manyRounds: 1, backlog: 2000, warmUp: 200, limitMs: 600 }

/** What all cases share. */
export interface Stand {
  readonly broker: Rabbitmq
  readonly redis: Redis
  readonly desk: Desk
  readonly scale: Scale
  /** For traces and logs. */
  readonly directory: string
  /** Aborted when the bench is interrupted. */
  readonly signal: AbortSignal
}

/**
 * Waits until a condition holds, asking every few milliseconds.
 * @throws Error that names what was waited for, after a minute; the signal's reason
 */
export function until(
  condition: () => Promise<boolean> | boolean,
  options: { readonly signal: AbortSignal; readonly what: string; readonly everyMs?: number },
): Promise<void> {
  return waitFor(condition, options)
}

/** Runs the work, and then undoes what it put up, however it ended. */
export async function releasing<T>(work: (releasers: Releasers) => Promise<T>): Promise<T> {
  const releasers = new Releasers()
  try {
    return await work(releasers)
  } finally {
    const [failure] = await releasers.release()
    if (failure) console.error(`Something may be left behind: ${failure.message}`)
  }
}
