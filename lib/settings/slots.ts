/** Pools in which each slot is a process or a thread, and costs as much. */
const CPU_POOLS: ReadonlySet<string> = new Set(['prefork', 'processes', 'threads'])
/** The largest prefetch in AMQP: the limit of the single consumer of a window that must not change. */
export const MOST_PREFETCH = 65_535
/** No machine can run more children than this, and a typo must not start them. */
const MOST_CHILDREN = 1024

/** Returns whether the slots of a pool are processes or threads. */
export function hasChildren(pool: string): boolean {
  return CPU_POOLS.has(pool)
}

/** Returns the most slots that a worker may have, whoever requests them. */
export function mostSlots(pool: string): number {
  return hasChildren(pool) ? MOST_CHILDREN : MOST_PREFETCH
}
