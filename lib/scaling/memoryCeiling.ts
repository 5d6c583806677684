import { totalmem } from 'node:os'
import type { Settings } from '../settings/table.js'

/**
 * Returns the bytes of resident memory that the worker's process may use; null for no limit. Where the tasks run in the
 * worker itself, its only child, this is `worker_max_memory_per_child` (Celery's: KiB per child); in a container, the
 * container's limit if that is lower. Children that are processes or threads are watched by their pool.
 * @param constrained limit of the operating system for the process in bytes; 0 or more than all memory for no limit
 */
export function memoryCeiling(
  { worker_max_memory_per_child: kib, worker_pool: pool }: Settings,
  constrained = process.constrainedMemory() ?? 0,
): number | null {
  const isInline = pool !== 'prefork' && pool !== 'processes' && pool !== 'threads'
  const limits = [isInline && kib !== null ? kib * 1024 : 0, constrained < totalmem() ? constrained : 0]
  const set = limits.filter((limit) => limit > 0)
  return set.length === 0 ? null : Math.min(...set)
}
