import { availableParallelism } from 'node:os'
import { selectQueues } from './queues.js'
import type { Settings } from './table.js'

export interface Checked {
  readonly settings: Settings
  readonly warnings: readonly string[]
  readonly faults: readonly string[]
}

/** Pools in which a slot is a process or a thread, and costs as much. */
const CPU_POOLS: ReadonlySet<string> = new Set(['prefork', 'processes', 'threads'])

/** Unless told otherwise there are as many children as processors, as in Celery. */
function withPoolSize(settings: Settings, named: ReadonlySet<string>): Settings {
  if (named.has('worker_concurrency') || !CPU_POOLS.has(settings.worker_pool)) return settings
  return { ...settings, worker_concurrency: availableParallelism() }
}

/**
 * What one setting means for another. The pool `solo` is one slot, whatever the others say.
 * @param named the settings that somebody gave
 */
export function crossCheck(given: Settings, named: ReadonlySet<string>): Checked {
  const settings = withPoolSize(given, named)
  const warnings: string[] = []
  const faults: string[] = []
  const { task_soft_time_limit: soft, task_time_limit: hard, worker_pool: pool } = settings
  if (soft !== null && hard !== null && soft > hard) {
    faults.push(
      `--soft-time-limit ${soft}: expected no more than --time-limit, which is ${hard}; the task would be given up before it is told`,
    )
  }
  faults.push(...selectQueues(settings).faults)
  if (settings.worker_http_control && settings.worker_http_token === null) {
    warnings.push('--http-control has no effect without worker_http_token (CELERIAC_HTTP_TOKEN)')
  }
  if (pool === 'solo') {
    if (settings.worker_autoscale !== null) warnings.push('--autoscale has no effect: the pool solo has one slot')
    return { settings: { ...settings, worker_concurrency: 1, worker_autoscale: null }, warnings, faults }
  }
  if (pool === 'gevent' || pool === 'eventlet') {
    warnings.push(`-P/--pool ${pool} is run as async, which is what it is for: tasks that wait, in one process`)
  }
  return { settings, warnings, faults }
}
