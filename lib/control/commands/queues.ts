import { coerceError } from '../../errors.js'
import { type QueueSpec, queueNamed } from '../../settings/queues.js'
import type { QueueDefinition } from '../../settings/routing.js'
import { type Arguments, required, textOrNull, ValueError } from '../arguments.js'
import { type Command, nok, ok } from '../panel.js'
import type { ControlParts } from '../parts.js'

/** The commands about queues. */
export function queueCommands({
  queues,
  settings,
}: Pick<ControlParts, 'queues' | 'settings'>): Record<string, Command> {
  return {
    active_queues: () => queues.queues.map(describe),
    add_consumer: (args) => {
      const name = nameOf('add_consumer', args)
      const isKnown = settings.task_queues?.some((queue) => queue.name === name) || name === settings.task_default_queue
      const queue = queueNamed(name, isKnown ? settings : { ...settings, task_queues: [definition(name, args)] })
      return queues.add(queue).then(
        () => ok(`add consumer ${name}`),
        (thrown) => nok(`Can't consume from ${name}: ${coerceError(thrown).message}`),
      )
    },
    cancel_consumer: (args) => {
      const name = nameOf('cancel_consumer', args)
      queues.cancel(name)
      return ok(`no longer consuming from ${name}`)
    },
  }
}

function nameOf(command: string, args: Arguments): string {
  const name = textOrNull(required(command, args, ['queue']).queue)
  if (name === null) throw new ValueError('queue must be a name')
  return name
}

/** A queue that the settings don't know, in the words of kombu's `Queue`; what has another type than it should is left out. */
function definition(name: string, args: Arguments): QueueDefinition {
  const text = (key: string): Record<string, string> => {
    const value = textOrNull(args[key])
    return value === null ? {} : { [key]: value }
  }
  const toggle = (key: string): Record<string, boolean> => {
    const value = args[key]
    return typeof value === 'boolean' ? { [key]: value } : {}
  }
  const number = (key: string): Record<string, number> => {
    const value = args[key]
    return typeof value === 'number' && value >= 0 ? { [key]: value } : {}
  }
  const { queue_arguments: table } = args
  return {
    name,
    ...text('exchange'),
    ...text('exchange_type'),
    ...text('routing_key'),
    ...toggle('durable'),
    ...toggle('exclusive'),
    ...toggle('auto_delete'),
    ...number('expires'),
    ...number('message_ttl'),
    ...number('max_length'),
    ...number('max_length_bytes'),
    ...number('max_priority'),
    ...(typeof table === 'object' && table !== null && !Array.isArray(table)
      ? { queue_arguments: table as Record<string, unknown> }
      : {}),
  }
}

/** A queue as kombu's `Queue.as_dict(recurse=True)`; the named arguments are also among `queue_arguments`, as they are declared. */
function describe(queue: QueueSpec): Record<string, unknown> {
  const { arguments: table, exchange } = queue
  const seconds = (name: string): number | null => {
    const milliseconds = table[name]
    return typeof milliseconds === 'number' ? milliseconds / 1000 : null
  }
  return {
    name: queue.name,
    exchange: {
      name: exchange.name,
      type: exchange.type,
      arguments: null,
      durable: exchange.durable,
      passive: false,
      auto_delete: exchange.autoDelete,
      delivery_mode: null,
      no_declare: false,
    },
    routing_key: queue.routingKey,
    queue_arguments: Object.keys(table).length > 0 ? table : null,
    binding_arguments: null,
    consumer_arguments: null,
    durable: queue.durable,
    exclusive: queue.exclusive,
    auto_delete: queue.autoDelete,
    no_ack: false,
    alias: null,
    bindings: [],
    no_declare: null,
    expires: seconds('x-expires'),
    message_ttl: seconds('x-message-ttl'),
    max_length: table['x-max-length'] ?? null,
    max_length_bytes: table['x-max-length-bytes'] ?? null,
    max_priority: table['x-max-priority'] ?? null,
  }
}
