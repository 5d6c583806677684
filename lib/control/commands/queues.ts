import { coerceError } from '../../errors.js'
import { type QueueSpec, queueNamed } from '../../settings/queues.js'
import type { QueueDefinition } from '../../settings/routing.js'
import { type Argument, argument, name, required, textOrNull } from '../arguments.js'
import { command, nok, ok } from '../command.js'

/** A value of the wrong type counts as not given. */
const toggle = argument('bool', (value) => (typeof value === 'boolean' ? value : null))
const number: Argument<number | null> = argument('float', (value) =>
  typeof value === 'number' && value >= 0 ? value : null,
)
const table = argument('text', (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null,
)

/** Commands about queues. */
export const queueCommands = [
  command({
    name: 'active_queues',
    kind: 'inspect',
    help: 'Queues that the worker consumes from.',
    run: (_, { queues }) => queues.queues.map(describe),
  }),
  command({
    name: 'add_consumer',
    kind: 'control',
    help: 'Consume from one more queue.',
    args: { queue: required(name), exchange: textOrNull, exchange_type: textOrNull, routing_key: textOrNull },
    more: {
      durable: toggle,
      exclusive: toggle,
      auto_delete: toggle,
      expires: number,
      message_ttl: number,
      max_length: number,
      max_length_bytes: number,
      max_priority: number,
      queue_arguments: table,
    },
    signature: '<queue> [exchange [type [routing_key]]]',
    onPage: true,
    run: ({ queue: name, ...described }, { queues, settings }) => {
      const isKnown = settings.task_queues?.some((queue) => queue.name === name) || name === settings.task_default_queue
      const unknown = { ...settings, task_queues: [definition(name, described)] }
      return queues.add(queueNamed(name, isKnown ? settings : unknown)).then(
        () => ok(`add consumer ${name}`),
        (thrown) => nok(`Can't consume from ${name}: ${coerceError(thrown).message}`),
      )
    },
  }),
  command({
    name: 'cancel_consumer',
    kind: 'control',
    help: 'Stop consuming from a queue.',
    args: { queue: required(name) },
    signature: '<queue>',
    onPage: true,
    run: ({ queue }, { queues }) => {
      queues.cancel(queue)
      return ok(`no longer consuming from ${queue}`)
    },
  }),
]

/** Defines a queue that the settings don't know, in the words of kombu's `Queue`. */
function definition(name: string, described: Readonly<Record<string, unknown>>): QueueDefinition {
  return { name, ...Object.fromEntries(Object.entries(described).filter(([, value]) => value !== null)) }
}

/**
 * Describes a queue as kombu's `Queue.as_dict(recurse=True)`; the named arguments are also among `queue_arguments`, as
 * they are declared.
 */
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
