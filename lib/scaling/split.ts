/** A split is kept while no queue is off by more than this fraction of its count, or by one consumer. */
const TOLERANCE = 0.25

/**
 * Splits the slots over the queues: one consumer for each, so that every queue is served, and the other `slots - 1` by
 * demand, the remainders to the largest fractions. The sum is `slots + queues - 1`. Slots without demand are spread
 * evenly, so that each queue can start at once; and a split that is about right is kept, since each change costs the
 * broker a round trip.
 * @param demands messages that wait or run, by queue
 * @param previous the split in force
 */
export function splitSlots(
  slots: number,
  demands: ReadonlyMap<string, number>,
  previous: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const spare = Math.max(0, slots - 1)
  let total = 0
  for (const demand of demands.values()) total += demand
  const idle = Math.max(0, spare - total) / demands.size
  const exact = new Map<string, number>()
  for (const [queue, demand] of demands) exact.set(queue, demand * Math.min(1, total === 0 ? 0 : spare / total) + idle)

  return isAboutRight(previous, exact, spare) ? previous : round(exact, spare)
}

function isAboutRight(
  previous: ReadonlyMap<string, number>,
  exact: ReadonlyMap<string, number>,
  spare: number,
): boolean {
  if (previous.size !== exact.size) return false
  let sum = 0
  for (const [queue, share] of exact) {
    const consumers = previous.get(queue)
    if (consumers === undefined) return false
    if (Math.abs(consumers - 1 - share) > Math.max(1, TOLERANCE * share)) return false
    sum += consumers
  }
  return sum === spare + exact.size
}

function round(exact: ReadonlyMap<string, number>, spare: number): Map<string, number> {
  const split = new Map<string, number>()
  let left = spare
  for (const [queue, share] of exact) {
    split.set(queue, 1 + Math.floor(share))
    left -= Math.floor(share)
  }
  const byFraction = [...exact].sort(([, a], [, b]) => (b % 1) - (a % 1))
  for (const [queue] of byFraction.slice(0, left)) split.set(queue, (split.get(queue) ?? 0) + 1)
  return split
}
