import { availableParallelism } from 'node:os'
import { canCompress } from '../protocol/content/compression.js'
import { serializerFor, serializerNames } from '../protocol/content/serializers.js'
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
  warnings.push(...unwritable(settings), ...unreadable(settings))
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

/** Celery may know what a configuration names here. Without a word, the first message that is sent would fail. */
function unwritable({ task_compression: compression, task_serializer: serializer }: Settings): string[] {
  const names = serializerNames().filter((name) => name !== 'raw')
  const told = (setting: string, value: string, expected: string): string =>
    `${setting} ${JSON.stringify(value)} cannot be written here, so nothing can be sent; expected ${expected}`
  return [
    ...(names.includes(serializerFor(serializer)?.name ?? '')
      ? []
      : [told('task_serializer', serializer, `one of ${names.join(', ')}`)]),
    ...(compression === null || canCompress(compression)
      ? []
      : [told('task_compression', compression, 'gzip, brotli, or zstd from Node 22.15 on')]),
  ]
}

/** A name that is misspelt here costs messages: they are rejected, one by one. Content types are not for us to know. */
function unreadable({ accept_content }: Settings): string[] {
  return accept_content
    .filter((name) => !name.includes('/') && !serializerFor(name))
    .map((name) => {
      const known = serializerNames().join(', ')
      return `accept_content: ${JSON.stringify(name)} cannot be read here, so messages in it are rejected; known are ${known}`
    })
}

/** Finds settings with more slots than the pool can have, before any slot is opened. */
function slotFaults({ worker_autoscale, worker_concurrency, worker_pool }: Settings): string[] {
  const most = mostSlots(worker_pool)
  const told = (flag: string, slots: number): string[] =>
    slots > most ? [`${flag} ${slots}: expected at most ${most} slots in the pool ${worker_pool}`] : []
  return [...told('-c/--concurrency', worker_concurrency), ...told('--autoscale', worker_autoscale?.max ?? 0)]
}
