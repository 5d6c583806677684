/** Pools in which a slot is a process or a thread, and costs as much. */
const CPU_POOLS: ReadonlySet<string> = new Set(['prefork', 'processes', 'threads'])
/** The largest prefetch that AMQP can say: what the one consumer of a window that must not change may hold. */
export const MOST_PREFETCH = 65_535
/** More children than this no machine bears, and a typing error is no order to start them. */
const MOST_CHILDREN = 1024

/** Whether the slots of a pool are processes or threads. */
export function hasChildren(pool: string): boolean {
  return CPU_POOLS.has(pool)
}

/** The most slots that a worker may have, whoever asks for them. */
export function mostSlots(pool: string): number {
  return hasChildren(pool) ? MOST_CHILDREN : MOST_PREFETCH
}
