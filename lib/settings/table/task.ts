import { choice, count, list, optional, positiveSeconds, text, toggle } from '../parse.js'
import { rateText } from '../rate.js'
import { orderBy, PUBLISH_RETRY, publishRetry, queues, routes } from '../routing.js'
import { row } from '../row.js'

const UTC_ONLY = 'times without an offset are read as UTC'

/** Settings of tasks, their messages and their queues. */
export const TASK = {
  accept_content: row(list, ['json'], 'Serializers that messages may use, by name or content type.', {
    old: 'CELERY_ACCEPT_CONTENT',
  }),
  task_serializer: row(text, 'json', 'Serializer of the messages that are sent.', {
    old: 'CELERY_TASK_SERIALIZER',
  }),
  task_compression: row(optional(text), null, 'Compression of the messages that are sent: gzip, brotli, zstd.', {
    old: 'CELERY_MESSAGE_COMPRESSION',
  }),
  task_default_queue: row(text, 'celery', 'Queue of tasks without a route.', { old: 'CELERY_DEFAULT_QUEUE' }),
  task_default_exchange: row(optional(text), null, 'Exchange of the default queue; by default the name of the queue.', {
    old: 'CELERY_DEFAULT_EXCHANGE',
  }),
  task_default_exchange_type: row(text, 'direct', 'Type of task_default_exchange.', {
    old: 'CELERY_DEFAULT_EXCHANGE_TYPE',
  }),
  task_default_routing_key: row(
    optional(text),
    null,
    'Routing key of the default queue; by default the name of the queue.',
    {
      old: 'CELERY_DEFAULT_ROUTING_KEY',
    },
  ),
  task_default_queue_type: row(
    choice(['classic', 'quorum']),
    'classic',
    'Type of the queues that are declared: classic or quorum.',
    { old: 'CELERY_DEFAULT_QUEUE_TYPE' },
  ),
  task_default_delivery_mode: row(
    count({ min: 1, max: 2 }),
    2,
    'Delivery mode of messages: 2 is persistent, 1 is transient.',
    {
      old: 'CELERY_DEFAULT_DELIVERY_MODE',
      inert: 'messages are always persistent',
    },
  ),
  task_default_priority: row(optional(count({ max: 255 })), null, 'Priority of messages without one.', {
    old: 'CELERY_DEFAULT_PRIORITY',
  }),
  task_queues: row(optional(queues), null, 'The queues to consume from, with their exchanges and arguments.', {
    old: 'CELERY_QUEUES',
  }),
  task_routes: row(
    optional(routes),
    null,
    'Task name or glob -> queue, or { queue, exchange, routing_key, priority, serializer, compression }; a function; or a list of those.',
    {
      old: 'CELERY_ROUTES',
    },
  ),
  task_create_missing_queues: row(toggle, true, 'Create queues that are not in task_queues.', {
    old: 'CELERY_CREATE_MISSING_QUEUES',
  }),
  task_queue_max_priority: row(optional(count({ max: 255 })), null, 'x-max-priority of queues without one.', {
    old: 'CELERY_QUEUE_MAX_PRIORITY',
  }),
  task_inherit_parent_priority: row(toggle, false, 'Send what a task leads to with the priority of its own message.', {
    old: 'CELERY_INHERIT_PARENT_PRIORITY',
  }),
  task_allow_error_cb_on_chord_header: row(
    toggle,
    false,
    'Give the error callbacks of a chord to the tasks of its header, too.',
    { old: 'CELERY_ALLOW_ERROR_CB_ON_CHORD_HEADER' },
  ),
  task_publish_retry: row(toggle, true, 'Programs that send tasks: try again when the connection is lost.', {
    old: 'CELERY_TASK_PUBLISH_RETRY',
  }),
  task_publish_retry_policy: row(
    publishRetry,
    PUBLISH_RETRY,
    'How often, and after how many seconds: max_retries (null for no end), interval_start, interval_step, interval_max.',
    { old: 'CELERY_TASK_PUBLISH_RETRY_POLICY' },
  ),
  task_acks_late: row(toggle, false, 'Acknowledge messages after the task has run, not before.', {
    old: 'CELERY_ACKS_LATE',
  }),
  task_acks_on_failure_or_timeout: row(toggle, true, 'With late acknowledgement: also acknowledge tasks that failed.', {
    old: 'CELERY_ACKS_ON_FAILURE_OR_TIMEOUT',
  }),
  task_reject_on_worker_lost: row(toggle, false, 'With late acknowledgement: requeue tasks whose process died.', {
    old: 'CELERY_REJECT_ON_WORKER_LOST',
  }),
  task_store_errors_even_if_ignored: row(toggle, false, 'Store failures of tasks whose results are ignored.', {
    old: 'CELERY_STORE_ERRORS_EVEN_IF_IGNORED',
  }),
  task_default_rate_limit: row(rateText, null, 'Rate limit of tasks without one of their own: 10/s, 10/m.', {
    old: 'CELERY_DEFAULT_RATE_LIMIT',
  }),
  task_order_by: row(
    orderBy,
    null,
    'Pattern of task names -> path of the order key, such as kwargs.event.build_id; a slash nests, as in kwargs.build/kwargs.chroot.',
  ),
  task_order_key_error: row(
    choice(['reject', 'unordered']),
    'reject',
    'What happens to a message whose order key cannot be determined: reject it, or run it without order (unordered).',
  ),
  task_ignore_result: row(toggle, false, 'Store no results.', { old: 'CELERY_IGNORE_RESULT' }),
  task_track_started: row(toggle, false, 'Store the state STARTED.', { old: 'CELERY_TRACK_STARTED' }),
  task_send_sent_event: row(toggle, false, 'Send an event for each message sent.', {
    old: 'CELERY_SEND_TASK_SENT_EVENT',
  }),
  task_time_limit: row(optional(positiveSeconds), null, 'Hard time limit of a task, in seconds.', {
    flag: '--time-limit <seconds>',
    group: 'Pool',
    old: 'CELERYD_TASK_TIME_LIMIT',
    zero: 'is unset',
  }),
  task_soft_time_limit: row(
    optional(positiveSeconds),
    null,
    'Soft time limit of a task, in seconds: its signal is aborted.',
    {
      flag: '--soft-time-limit <seconds>',
      group: 'Pool',
      old: 'CELERYD_TASK_SOFT_TIME_LIMIT',
      zero: 'is unset',
    },
  ),
  timezone: row(optional(text), null, 'Time zone of times without an offset.', {
    old: 'CELERY_TIMEZONE',
    inert: UTC_ONLY,
  }),
  enable_utc: row(toggle, true, 'Times without an offset are UTC.', { old: 'ENABLE_UTC', inert: UTC_ONLY }),
  imports: row(list, [], 'Modules to import at the start.', { old: 'CELERY_IMPORTS' }),
  include: row(list, [], 'Further modules to import at the start.', {
    flag: '-I, --include <modules>',
    group: 'Queue',
    old: 'CELERY_INCLUDE',
  }),
} as const
