/** How the command line reads an argument's text; a list takes all that is left. */
export interface CommandArgument {
  readonly name: string
  readonly type: 'text' | 'int' | 'float' | 'list' | 'bool'
}

/** A remote control command as the command line offers it. */
export interface CommandInfo {
  readonly name: string
  /** `inspect` reads, `control` changes. */
  readonly kind: 'inspect' | 'control'
  readonly aliases: readonly string[]
  /** The arguments in their order on the command line. */
  readonly args: readonly CommandArgument[]
  /** The arguments as the help shows them; empty for none. */
  readonly signature: string
  readonly help: string
}

type Kind = CommandInfo['kind']

const text = (name: string): CommandArgument => ({ name, type: 'text' })
const int = (name: string): CommandArgument => ({ name, type: 'int' })
const float = (name: string): CommandArgument => ({ name, type: 'float' })
const list = (name: string): CommandArgument => ({ name, type: 'list' })

const IDS = '[id1 [id2 [... [idN]]]]'

function command(
  kind: Kind,
  name: string,
  help: string,
  { aliases = [], args = [], signature = '' }: Partial<Pick<CommandInfo, 'aliases' | 'args' | 'signature'>> = {},
): CommandInfo {
  return { name, kind, aliases, args, signature, help }
}

/**
 * Every command that an operator may give, with Celery's names and arguments; `hello`, which only workers send each other, is
 * not among them. The help of the command line is made from this, and a spec holds the panel to it.
 */
export const COMMANDS: readonly CommandInfo[] = [
  command('inspect', 'active', 'Tasks that run.', { aliases: ['dump_active'] }),
  command('inspect', 'active_queues', 'Queues that are consumed.'),
  command('inspect', 'clock', 'The logical clock.'),
  command('inspect', 'conf', 'The settings, without their secrets.', {
    aliases: ['dump_conf'],
    args: [{ name: 'with_defaults', type: 'bool' }],
    signature: '[include_defaults=False]',
  }),
  command('inspect', 'lanes', 'Order keys in hand: depth, age in seconds, whether blocked, and the head.'),
  command('inspect', 'memdump', 'The samples that memsample took, and what the memory is used for.', {
    args: [int('samples')],
    signature: '[n_samples=10]',
  }),
  command('inspect', 'memsample', 'Resident memory now.'),
  command('inspect', 'objgraph', 'Write a heap snapshot to the file that worker_heap_snapshot names.', {
    args: [text('type'), int('num'), int('max_depth')],
    signature: '[object_type=Request] [num=200 [max_depth=10]]',
  }),
  command('inspect', 'parked', 'Tasks received that wait for something else than a slot, and what for.'),
  command('inspect', 'ping', 'Which workers answer.'),
  command('inspect', 'query_task', 'What is known of these tasks.', { args: [list('ids')], signature: IDS }),
  command('inspect', 'registered', 'Tasks that the worker knows, with these of their options.', {
    aliases: ['dump_tasks'],
    args: [list('taskinfoitems')],
    signature: '[attr1 [attr2 [... [attrN]]]]',
  }),
  command('inspect', 'report', 'Versions and settings, for a bug report.'),
  command('inspect', 'reserved', 'Tasks received that wait for a slot, their order or their rate.', {
    aliases: ['dump_reserved'],
  }),
  command('inspect', 'revoked', 'Ids of revoked tasks.', { aliases: ['dump_revoked'] }),
  command('inspect', 'scheduled', 'Tasks received that wait for their time or their next try.', {
    aliases: ['dump_schedule'],
  }),
  command('inspect', 'slots', 'Slots, the window, what is parked, and the last decisions of the autoscaler.'),
  command('inspect', 'stats', 'Figures of the worker.'),

  command('control', 'add_consumer', 'Consume from one more queue.', {
    args: [text('queue'), text('exchange'), text('exchange_type'), text('routing_key')],
    signature: '<queue> [exchange [type [routing_key]]]',
  }),
  command('control', 'autoscale', 'Change the most and the fewest slots.', {
    args: [int('max'), int('min')],
    signature: '[max [min]]',
  }),
  command('control', 'cancel_consumer', 'Stop consuming from a queue.', {
    args: [text('queue')],
    signature: '<queue>',
  }),
  command('control', 'disable_events', 'Send no more events about tasks.'),
  command('control', 'election', 'Hold an election among the workers.', {
    args: [text('id'), text('topic'), text('action')],
    signature: '<id> <topic> [action]',
  }),
  command('control', 'enable_events', 'Send events about tasks.'),
  command('control', 'heartbeat', 'Send a heartbeat event now.'),
  command('control', 'pool_grow', 'Open n more slots.', { args: [int('n')], signature: '[N=1]' }),
  command('control', 'pool_restart', 'Start the pool anew.', {
    args: [list('modules')],
    signature: '[module1 [module2 [... [moduleN]]]]',
  }),
  command('control', 'pool_shrink', 'Close n slots.', { args: [int('n')], signature: '[N=1]' }),
  command('control', 'rate_limit', 'Change how often a task may start; 0 lifts the limit.', {
    args: [text('task_name'), text('rate_limit')],
    signature: '<task_name> <rate_limit (e.g., 5/s | 5/m | 5/h)>',
  }),
  command('control', 'revoke', 'Keep these tasks from running.', { args: [list('task_id')], signature: IDS }),
  command('control', 'revoke_by_stamped_headers', 'Keep tasks with one of these stamps from running.', {
    args: [list('headers')],
    signature: '[key1=value1 [key2=value2 [... [keyN=valueN]]]]',
  }),
  command('control', 'shutdown', 'Warm shutdown.'),
  command('control', 'terminate', 'Revoke these tasks, and stop those that run.', {
    args: [text('signal'), list('task_id')],
    signature: `<signal> ${IDS}`,
  }),
  command('control', 'time_limit', "Change a task's time limits.", {
    args: [text('task_name'), float('soft'), float('hard')],
    signature: '<task_name> <soft_secs> [hard_secs]',
  }),
  command('control', 'unblock', 'Let the messages of an order key go on that a failure has stopped.', {
    args: [text('key')],
    signature: '<key>',
  }),
]
