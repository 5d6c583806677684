import { MOST_ITEMS } from '../../protocol/content/bodyLimits.js'
import { address } from '../address.js'
import { choice, count, optional, positiveSeconds, range, seconds, text, toggle, token } from '../parse.js'
import { row } from '../row.js'
import { MOST_PREFETCH } from '../slots.js'

/** The settings about the worker. */
export const WORKER = {
  worker_concurrency: row(
    count({ min: 1 }),
    16,
    'Slots: tasks that run at the same time. In prefork and threads a slot is a child, and there are as many as processors. At most 65535; children at most 1024.',
    {
      flag: '-c, --concurrency <slots>',
      group: 'Pool',
      old: 'CELERYD_CONCURRENCY',
      zero: 'is unset',
    },
  ),
  worker_pool: row(
    choice(['async', 'gevent', 'eventlet', 'threads', 'solo', 'prefork', 'processes'], { anyCase: true }),
    'async',
    'Where tasks run: async (and gevent, eventlet) as promises in one process, solo one at a time, threads and prefork for the CPU.',
    { flag: '-P, --pool <pool>', group: 'Pool', old: 'CELERYD_POOL' },
  ),
  worker_autoscale: row(
    optional(range),
    null,
    'Most and fewest slots, such as 10,2; the number follows the queue. The fewest is 1, also for 0.',
    {
      flag: '--autoscale <max,min>',
      group: 'Feature',
    },
  ),
  worker_autoscale_interval: row(positiveSeconds, 1, 'Seconds between two decisions of the autoscaler.'),
  worker_autoscale_target_wait: row(positiveSeconds, 1, 'Seconds in which a backlog is to be cleared.'),
  worker_autoscale_keepalive: row(seconds, 30, 'Seconds of surplus before slots are closed.', {
    env: ['AUTOSCALE_KEEPALIVE'],
  }),
  worker_prefetch_multiplier: row(count({ max: MOST_PREFETCH }), 1, 'Messages reserved for each slot.', {
    flag: '--prefetch-multiplier <messages>',
    group: 'Worker',
    old: 'CELERYD_PREFETCH_MULTIPLIER',
    zero: 'is unset in flags',
  }),
  worker_disable_prefetch: row(toggle, false, 'Reserve no message ahead.', {
    flag: '--disable-prefetch',
    group: 'Worker',
    inert:
      'with RabbitMQ a slot reserves one message, the one that it runs, as long as worker_prefetch_multiplier is 1',
  }),
  worker_parked_limit: row(count(), 1000, 'Messages that may wait for their ETA or their turn without a slot.'),
  worker_order_hold_limit: row(
    seconds,
    60,
    'Longest countdown, in seconds, that a task with an order key waits for in its place.',
  ),
  worker_order_depth_limit: row(
    optional(count({ min: 1 })),
    null,
    'Messages of one order key that may wait without taking up the intake of their queue; null for no limit but worker_parked_limit.',
    { zero: 'is unset' },
  ),
  worker_order_age_limit: row(
    seconds,
    600,
    'Seconds that a message may wait for its order key before a warning says so; 0 for never.',
  ),
  worker_soft_shutdown_timeout: row(seconds, 0, 'Seconds that running tasks get before a cold shutdown.'),
  worker_enable_soft_shutdown_on_idle: row(toggle, false, 'Wait that long even when nothing runs.'),
  worker_exit_timeout: row(
    seconds,
    1,
    'Seconds that what the app has left open, such as a socket or a timer, may keep the process after a shutdown.',
  ),
  worker_hook_timeout: row(
    positiveSeconds,
    10,
    'Seconds that a hook of app.on is waited for; then the task or the worker goes on without it.',
  ),
  worker_resource_timeout: row(
    positiveSeconds,
    30,
    'Seconds that the start, and the stop, of a resource of app.resource may take.',
  ),
  worker_cancel_long_running_tasks_on_connection_loss: row(
    toggle,
    false,
    'Stop tasks that are acknowledged late when the connection is lost.',
    { old: 'CELERYD_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS' },
  ),
  worker_deduplicate_successful_tasks: row(
    toggle,
    false,
    'Acknowledge, and do not run again, what is delivered again although it has succeeded.',
    { old: 'CELERYD_DEDUPLICATE_SUCCESSFUL_TASKS' },
  ),
  worker_max_deliveries: row(
    optional(count({ min: 1 })),
    20,
    'Times that a quorum queue may have had a message back before the message is rejected; null for no end.',
    { zero: 'is unset' },
  ),
  worker_eta_memory_limit: row(
    seconds,
    600,
    'Seconds; what is due later waits in the delay queues of the broker, not in this worker.',
  ),
  worker_max_message_size: row(count({ min: 1 }), 16 * 1024 * 1024, 'Bytes of the largest body that is decoded.'),
  worker_max_message_nesting: row(count({ min: 1 }), 200, 'Deepest nesting of a body that is decoded, and of headers.'),
  worker_max_message_items: row(
    count({ min: 1 }),
    MOST_ITEMS,
    'Lists, mappings and keys of mappings in a body that is decoded; each token of YAML counts as ten.',
  ),
  worker_max_message_headers: row(
    count({ min: 1 }),
    1000,
    'Headers of a message, with the entries of tables and lists in them.',
  ),
  worker_enable_remote_control: row(toggle, true, 'Answer inspect and control.', {
    old: 'CELERY_ENABLE_REMOTE_CONTROL',
  }),
  worker_send_task_events: row(toggle, false, 'Send events about tasks, for monitors.', {
    flag: '-E, --task-events, --events',
    group: 'Pool',
    old: 'CELERY_SEND_EVENTS',
  }),
  worker_direct: row(toggle, false, "Also consume the worker's own queue.", {
    old: 'CELERY_WORKER_DIRECT',
    inert: 'the queue <nodename>.dq2 is not consumed yet; name it in task_queues and -Q',
  }),
  worker_disable_rate_limits: row(toggle, false, 'Take no notice of rate limits.', {
    old: 'CELERY_DISABLE_RATE_LIMITS',
  }),
  worker_log_format: row(text, '[%(asctime)s: %(levelname)s/%(processName)s] %(message)s', 'Format of log lines.', {
    old: 'CELERYD_LOG_FORMAT',
  }),
  worker_task_log_format: row(
    text,
    '[%(asctime)s: %(levelname)s/%(processName)s] %(task_name)s[%(task_id)s]: %(message)s',
    'Format of lines that tasks log.',
    { old: 'CELERYD_TASK_LOG_FORMAT' },
  ),
  worker_log_color: row(optional(toggle), null, 'Colour on a terminal; by default on.', { old: 'CELERYD_LOG_COLOR' }),
  worker_redirect_stdouts: row(toggle, false, 'Turn what tasks print into log lines.', {
    old: 'CELERY_REDIRECT_STDOUTS',
    inert: 'what tasks print goes to stdout and stderr as it is',
  }),
  worker_max_tasks_per_child: row(optional(count({ min: 1 })), null, 'Tasks after which a child process is replaced.', {
    flag: '--max-tasks-per-child <tasks>',
    group: 'Pool',
    old: 'CELERYD_MAX_TASKS_PER_CHILD',
    zero: 'is unset',
  }),
  worker_max_memory_per_child: row(
    optional(count({ min: 1 })),
    null,
    'KiB after which a child process is replaced; where tasks run in the worker itself, near which it opens no more slots.',
    { flag: '--max-memory-per-child <KiB>', group: 'Pool', old: 'CELERYD_MAX_MEMORY_PER_CHILD', zero: 'is unset' },
  ),
  worker_http: row(
    address,
    '127.0.0.1:9891',
    'Where probes, metrics and the page are: HOST:PORT. The host 0.0.0.0 opens them to the network; port 0 takes any free one.',
    { flag: '--http <host:port>', group: 'Feature' },
  ),
  worker_http_control: row(toggle, false, 'Let who has worker_http_token control the worker from its page.', {
    flag: '--http-control',
    group: 'Feature',
  }),
  worker_http_token: row(optional(token), null, 'The token for that: a secret of at least 16 characters.', {
    env: ['CELERIAC_HTTP_TOKEN'],
    secret: 'whole',
  }),
  worker_heap_snapshot: row(
    optional(text),
    null,
    'File that inspect objgraph writes a heap snapshot to, over the last one; %n is the node name. null refuses it.',
  ),
  worker_state_db: row(optional(text), null, 'File that keeps the revoked tasks.', {
    flag: '-S, --statedb <file>',
    group: 'Worker',
    old: 'CELERYD_STATE_DB',
  }),
} as const
