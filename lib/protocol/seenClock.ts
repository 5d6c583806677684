import type { LamportClock } from './lamport.js'

/**
 * No fleet counts this far: at a thousand messages a second it takes 35 years. A larger value would drag along every
 * clock counted after it.
 */
const LARGEST_BELIEVED = 2 ** 40

/**
 * Returns whether a value from the wire can be compared with other clocks. In a fleet with a forged clock it may be
 * larger than what is believed.
 */
export function isClock(seen: unknown): seen is number {
  return Number.isSafeInteger(seen) && Number(seen) >= 0
}

/**
 * Adjusts the clock to one read from a message of another node, or from a file; values that no fleet reaches are
 * ignored.
 */
export function seeClock(lamport: LamportClock, seen: unknown): void {
  if (isClock(seen) && seen <= LARGEST_BELIEVED) lamport.adjust(seen)
}
