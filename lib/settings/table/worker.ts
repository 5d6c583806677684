import { MOST_ITEMS } from '../../protocol/content/bodyLimits.js'
import { address } from '../address.js'
import { choice, count, list, optional, positiveSeconds, range, seconds, text, toggle, token } from '../parse.js'
import { row } from '../row.js'
import { MOST_PREFETCH } from '../slots.js'

/** Settings of the worker. */
export const WORKER = {
  worker_concurrency: row(
    count({ min: 1 }),
    16,
    'Slots: tasks that run at the same time. With prefork and threads a slot is a child, and the default is the number of processors. At most 65535, with children 1024.',
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
    'Maximum and minimum number of slots, such as 10,2; the number follows the queue. A minimum of 0 counts as 1.',
    {
      flag: '--autoscale <max,min>',
      group: 'Feature',
    },
  ),
  worker_autoscale_interval: row(positiveSeconds, 1, 'Seconds between two decisions of the autoscaler.'),
  worker_autoscale_target_wait: row(
    positiveSeconds,
    1,
    'Seconds within which the autoscaler tries to clear a backlog.',
  ),
  worker_autoscale_keepalive: row(seconds, 30, 'Seconds of surplus before slots are closed.', {
    env: ['AUTOSCALE_KEEPALIVE'],
  }),
  worker_prefetch_multiplier: row(count({ max: MOST_PREFETCH }), 1, 'Messages reserved for each slot.', {
    flag: '--prefetch-multiplier <messages>',
    group: 'Worker',
    old: 'CELERYD_PREFETCH_MULTIPLIER',
    zero: 'is unset in flags',
  }),
  worker_disable_prefetch: row(toggle, false, 'Reserve no messages in advance.', {
    flag: '--disable-prefetch',
    group: 'Worker',
    old: 'CELERYD_DISABLE_PREFETCH',
    inert:
      'with RabbitMQ a slot reserves one message, the one that it runs, as long as worker_prefetch_multiplier is 1',
  }),
  worker_parked_limit: row(
    count(),
    1000,
    'Maximum number of messages that wait without using a slot, for their ETA, order key or rate limit.',
  ),
  worker_order_hold_limit: row(
    seconds,
    60,
    'Longest retry delay, in seconds, during which a task keeps its place in its order key.',
  ),
  worker_order_depth_limit: row(
    optional(count({ min: 1 })),
    null,
    'Maximum number of waiting messages of one order key that do not hold up their queue; null for no limit but worker_parked_limit.',
    { zero: 'is unset' },
  ),
  worker_order_age_limit: row(
    seconds,
    600,
    'Seconds that a message may wait for its order key before a warning is logged; 0 for never.',
  ),
  worker_soft_shutdown_timeout: row(seconds, 0, 'Seconds that a cold shutdown waits for running tasks.', {
    old: 'CELERYD_SOFT_SHUTDOWN_TIMEOUT',
  }),
  worker_enable_soft_shutdown_on_idle: row(
    toggle,
    false,
    'Apply worker_soft_shutdown_timeout even when no task is running.',
    { old: 'CELERYD_ENABLE_SOFT_SHUTDOWN_ON_IDLE' },
  ),
  worker_fleet_queues: row(
    optional(list),
    null,
    'Consumed queues whose order keys are kept in order over all workers that name them here.',
    { flag: '--fleet <queues>', group: 'Queue' },
  ),
  worker_fleet_lanes: row(
    count({ min: 1, max: 4096 }),
    32,
    'Lanes of each queue of --fleet: queues of the broker, each held by one worker at a time. Only for a queue without lanes: later, use celeriac control fleet_lanes.',
  ),
  worker_fleet_queue_type: row(
    optional(choice(['classic', 'quorum'])),
    null,
    'Type of the lanes; by default that of their queue.',
  ),
  worker_exit_timeout: row(
    seconds,
    1,
    'Seconds that an open socket or timer of the app may keep the process alive after a shutdown.',
  ),
  worker_proc_alive_timeout: row(
    positiveSeconds,
    60,
    'Seconds that a child of -P prefork or threads may take to load the app; then it is killed, and another is started.',
    { old: 'CELERYD_PROC_ALIVE_TIMEOUT' },
  ),
  worker_hook_timeout: row(
    positiveSeconds,
    10,
    'Timeout of a hook of app.on, in seconds; after it, the task or the worker continues.',
  ),
  worker_resource_timeout: row(
    positiveSeconds,
    30,
    'Timeout of starting, and of stopping, a resource of app.resource, in seconds.',
  ),
  worker_cancel_long_running_tasks_on_connection_loss: row(
    toggle,
    false,
    'When the connection is lost, stop tasks that are acknowledged late.',
    { old: 'CELERYD_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS' },
  ),
  worker_deduplicate_successful_tasks: row(
    toggle,
    false,
    'Acknowledge a redelivered message without running it if its task has already succeeded.',
    { old: 'CELERYD_DEDUPLICATE_SUCCESSFUL_TASKS' },
  ),
  worker_max_deliveries: row(
    optional(count({ min: 1 })),
    20,
    'Times that a message may return to its quorum queue before it is rejected; null for no limit.',
    { zero: 'is unset' },
  ),
  worker_eta_memory_limit: row(
    seconds,
    600,
    'Seconds: messages that are due later wait in the delay queues of the broker, not in the worker.',
  ),
  worker_max_message_size: row(count({ min: 1 }), 16 * 1024 * 1024, 'Maximum size of a message body, in bytes.'),
  worker_max_message_nesting: row(count({ min: 1 }), 200, 'Maximum nesting depth of a message body and of headers.'),
  worker_max_message_items: row(
    count({ min: 1 }),
    MOST_ITEMS,
    'Maximum number of lists, mappings and keys in a message body; each token of YAML counts as ten.',
  ),
  worker_max_message_headers: row(
    count({ min: 1 }),
    1000,
    'Maximum number of headers of a message, including entries of tables and lists in them.',
  ),
  worker_max_canvas_items: row(
    count({ min: 1 }),
    100_000,
    'Maximum number of signatures in the callbacks, the chain or the chord of a message that is received or sent, those within others included.',
  ),
  worker_max_canvas_nesting: row(
    count({ min: 1 }),
    100,
    'Maximum nesting depth of signatures in the callbacks, the chain or the chord of a message.',
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
  worker_disable_rate_limits: row(toggle, false, 'Ignore rate limits.', {
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
  worker_log_color: row(optional(toggle), null, 'Colours in the log; by default on a terminal.', {
    old: 'CELERYD_LOG_COLOR',
  }),
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
    'Memory in KiB. A child with more is replaced after its task; the async pool opens no more slots near it.',
    { flag: '--max-memory-per-child <KiB>', group: 'Pool', old: 'CELERYD_MAX_MEMORY_PER_CHILD', zero: 'is unset' },
  ),
  worker_http: row(
    address,
    '127.0.0.1:9891',
    'Address of probes, metrics and the page, HOST:PORT. Host 0.0.0.0 opens them to the network; port 0 takes any free port.',
    { flag: '--http <host:port>', group: 'Feature' },
  ),
  worker_http_control: row(toggle, false, 'Allow control over HTTP with worker_http_token.', {
    flag: '--http-control',
    group: 'Feature',
  }),
  worker_http_token: row(
    optional(token),
    null,
    'Token that allows control over HTTP: a secret of at least 16 characters.',
    {
      env: ['CELERIAC_HTTP_TOKEN'],
      secret: 'whole',
    },
  ),
  worker_heap_snapshot: row(
    optional(text),
    null,
    'File to which inspect objgraph writes a heap snapshot, replacing the last one; %n is the node name up to the @. null refuses the command.',
  ),
  worker_state_db: row(optional(text), null, 'File that keeps the ids of revoked tasks over a restart.', {
    flag: '-S, --statedb <file>',
    group: 'Worker',
    old: 'CELERYD_STATE_DB',
  }),
} as const
