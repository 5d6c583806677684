import type { QueueDefinition } from './routing.js'
import type { Settings } from './table.js'

/** A queue as it is declared, with the exchange that feeds it. */
export interface QueueSpec {
  /** Name of the queue. */
  readonly name: string
  /** True if it survives a restart of the broker. */
  readonly durable: boolean
  /** True if it belongs to one connection, and is deleted with it. */
  readonly exclusive: boolean
  /** True if it is deleted when nobody consumes from it any more. */
  readonly autoDelete: boolean
  /** The x-arguments. */
  readonly arguments: Readonly<Record<string, unknown>>
  /** The exchange that it is bound to. */
  readonly exchange: {
    /** Empty for the default exchange, which is neither declared nor bound. */
    readonly name: string
    /** Type: `direct`, `topic`, `fanout`, `headers`, or one of a plugin. */
    readonly type: string
    /** True if it survives a restart of the broker. */
    readonly durable: boolean
    /** True if it is deleted when no queue is bound to it any more. */
    readonly autoDelete: boolean
  }
  /** Routing key of the binding. */
  readonly routingKey: string
}

/** Returns a queue by name, from `task_queues` or created as Celery does. */
export function queueNamed(name: string, settings: Settings): QueueSpec {
  const defined = settings.task_queues?.find((queue) => queue.name === name)
  if (defined) return fromDefinition(defined, settings)
  if (name === settings.task_default_queue) {
    return fromDefinition(
      {
        name,
        exchange: settings.task_default_exchange ?? name,
        exchange_type: settings.task_default_exchange_type,
        routing_key: settings.task_default_routing_key ?? name,
      },
      settings,
    )
  }
  return fromDefinition({ name }, settings)
}

/** Returns the names of `task_queues`, or of the default queue without any; an empty list is none, as in Celery. */
export function configuredQueues({ task_default_queue, task_queues }: Settings): readonly string[] {
  const names = task_queues?.map(({ name }) => name) ?? []
  return names.length > 0 ? names : [task_default_queue]
}

/**
 * Returns the queues that a worker with these settings consumes: `-Q`, else all of `task_queues`, else the default one,
 * without `-X`. Faults are texts for the user: a queue that isn't defined while `task_create_missing_queues` is off, or
 * no queue left.
 * @returns the queues of `worker_fleet_queues` separately
 */
export function selectQueues(settings: Settings): { queues: QueueSpec[]; fleet: QueueSpec[]; faults: string[] } {
  const known = configuredQueues(settings)
  const asked = settings.queues ?? known
  const faults = asked
    .filter((name) => !settings.task_create_missing_queues && !known.includes(name))
    .map(
      (name) =>
        `-Q: queue ${JSON.stringify(name)} isn't defined in task_queues, and task_create_missing_queues is off; define it, or turn the setting on`,
    )
  const left = [...new Set(asked)].filter((name) => !settings.exclude_queues?.includes(name))
  if (left.length === 0) faults.push('-Q and -X leave no queue to consume from')
  const shared = new Set(settings.worker_fleet_queues)
  for (const name of shared) {
    if (!left.includes(name)) faults.push(`--fleet: queue ${JSON.stringify(name)} isn't consumed; name it in -Q, too`)
  }
  const specs = left.map((name) => queueNamed(name, settings))
  return {
    queues: specs.filter(({ name }) => !shared.has(name)),
    fleet: specs.filter(({ name }) => shared.has(name)),
    faults,
  }
}

function fromDefinition(queue: QueueDefinition, settings: Settings): QueueSpec {
  const named: Record<string, unknown> = {}
  const name = (argument: string, value: unknown): void => {
    if (value !== undefined) named[argument] = value
  }
  name('x-queue-type', settings.task_default_queue_type === 'quorum' ? 'quorum' : undefined)
  name('x-expires', milliseconds(queue.expires))
  name('x-message-ttl', milliseconds(queue.message_ttl))
  name('x-max-length', queue.max_length)
  name('x-max-length-bytes', queue.max_length_bytes)
  name('x-max-priority', queue.max_priority ?? settings.task_queue_max_priority ?? undefined)
  const durable = queue.durable ?? true
  return {
    name: queue.name,
    durable,
    exclusive: queue.exclusive ?? false,
    autoDelete: queue.auto_delete ?? false,
    arguments: Object.assign(named, queue.queue_arguments),
    exchange: {
      name: queue.exchange ?? queue.name,
      type: queue.exchange_type ?? 'direct',
      durable,
      autoDelete: queue.auto_delete ?? false,
    },
    routingKey: queue.routing_key ?? queue.name,
  }
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1000)
}
