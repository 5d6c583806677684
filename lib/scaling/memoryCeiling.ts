import { totalmem } from 'node:os'
import type { Settings } from '../settings/table.js'

/**
 * Bytes of resident memory that the worker's process may have; null where nothing sets a limit. It is
 * `worker_max_memory_per_child` (Celery's: KiB a child may have) where the tasks run in the worker itself, its only child; and
 * in a container, the container's limit, if that is less. Children that are processes or threads are looked after by their pool.
 * @param constrained what the operating system allows the process, in bytes; 0 or beyond all memory for no limit
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
