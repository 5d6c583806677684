import type { LamportClock } from './lamport.js'

/** Beyond this a clock is no count of messages any more, and soon would count no further. */
const LARGEST = 2 ** 50

/** Whether a value from the wire can be a logical clock: peers are believed only so far as counting stays exact. */
export function isClock(seen: unknown): seen is number {
  return Number.isInteger(seen) && Number(seen) >= 0 && Number(seen) <= LARGEST
}

/** Adjusts the clock to one that was read from a message of another node; what can't be a clock changes nothing. */
export function seeClock(lamport: LamportClock, seen: unknown): void {
  if (isClock(seen)) lamport.adjust(seen)
}
