import { availableParallelism } from 'node:os'
import { selectQueues } from './queues.js'
import { hasChildren, mostSlots } from './slots.js'
import type { Settings } from './table.js'

export interface Checked {
  readonly settings: Settings
  readonly warnings: readonly string[]
  readonly faults: readonly string[]
}

/** By default there are as many children as processors, as in Celery. */
function withPoolSize(settings: Settings, named: ReadonlySet<string>): Settings {
  if (named.has('worker_concurrency') || !hasChildren(settings.worker_pool)) return settings
  return { ...settings, worker_concurrency: availableParallelism() }
}

/**
 * Applies what one setting means for another. The pool `solo` has one slot, whatever the other settings say.
 * @param named the settings that were given
 */
export function crossCheck(given: Settings, named: ReadonlySet<string>): Checked {
  const settings = withPoolSize(given, named)
  const warnings: string[] = []
  const faults: string[] = []
  const { task_soft_time_limit: soft, task_time_limit: hard, worker_pool: pool } = settings
  if (soft !== null && hard !== null && soft > hard) {
    faults.push(
      `--soft-time-limit ${soft}: expected no more than --time-limit, which is ${hard}; the hard limit would come first`,
    )
  }
  faults.push(...selectQueues(settings).faults, ...slotFaults(settings))
  if (settings.worker_fleet_queues !== null && /^memory:/.test(settings.broker_url)) {
    faults.push('--fleet: needs RabbitMQ, which gives a queue to one consumer at a time; broker_url is memory://')
  }
  if (settings.worker_http_control && settings.worker_http_token === null) {
    warnings.push('--http-control has no effect without worker_http_token (CELERIAC_HTTP_TOKEN)')
  }
  const idle = Object.keys(settings.broker_transport_options).filter((name) => !name.startsWith('manager_'))
  if (idle.length > 0) warnings.push(`broker_transport_options has no effect here with ${idle.join(', ')}`)
  if (pool === 'solo') {
    if (settings.worker_autoscale !== null) warnings.push('--autoscale has no effect: the pool solo has one slot')
    return { settings: { ...settings, worker_concurrency: 1, worker_autoscale: null }, warnings, faults }
  }
  if (pool === 'gevent' || pool === 'eventlet') {
    warnings.push(`-P/--pool ${pool} is run as async, which is what it is for: tasks that wait, in one process`)
  }
  return { settings, warnings, faults }
}

/** Finds settings with more slots than the pool can have, before any slot is opened. */
function slotFaults({ worker_autoscale, worker_concurrency, worker_pool }: Settings): string[] {
  const most = mostSlots(worker_pool)
  const told = (flag: string, slots: number): string[] =>
    slots > most ? [`${flag} ${slots}: expected at most ${most} slots in the pool ${worker_pool}`] : []
  return [...told('-c/--concurrency', worker_concurrency), ...told('--autoscale', worker_autoscale?.max ?? 0)]
}
