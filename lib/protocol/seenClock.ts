import type { LamportClock } from './lamport.js'

/** No fleet counts so far: a thousand messages a second do in 35 years. What claims more would take all that we count after it along. */
const LARGEST_BELIEVED = 2 ** 40

/** Whether a value from the wire can be compared with other clocks. A fleet in which one was forged may be beyond what is believed. */
export function isClock(seen: unknown): seen is number {
  return Number.isSafeInteger(seen) && Number(seen) >= 0
}

/** Adjusts the clock to one that was read from a message of another node, or from a file; what no fleet counts to changes nothing. */
export function seeClock(lamport: LamportClock, seen: unknown): void {
  if (isClock(seen) && seen <= LARGEST_BELIEVED) lamport.adjust(seen)
}
