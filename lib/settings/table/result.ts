import { anything, map, optional, seconds, text, tls, toggle } from '../parse.js'
import { row } from '../row.js'

/** Settings of results. */
export const RESULT = {
  result_backend: row(
    optional(text),
    null,
    'Where results are stored: rpc://, redis://host/0, rediss://, sentinel://, cache+memory:// (this process). Without it no results are stored.',
    {
      flag: '--result-backend <url>',
      env: ['RESULT_BACKEND'],
      old: 'CELERY_RESULT_BACKEND',
      secret: true,
    },
  ),
  result_expires: row(optional(seconds), 86_400, 'Seconds until stored results expire; 0 or null for never.', {
    old: 'CELERY_TASK_RESULT_EXPIRES',
  }),
  result_extended: row(toggle, false, 'Store name, arguments, worker, retries and queue with a result.', {
    old: 'CELERY_RESULT_EXTENDED',
  }),
  result_chord_retry_interval: row(seconds, 1, 'Delay between two tries of celery.chord_unlock, in seconds.', {
    old: 'CELERY_RESULT_CHORD_RETRY_INTERVAL',
  }),
  result_chord_join_timeout: row(
    seconds,
    3,
    "Seconds that the last member of a chord's header waits for results that others have not stored.",
    {
      old: 'CELERY_RESULT_CHORD_JOIN_TIMEOUT',
    },
  ),
  result_persistent: row(toggle, false, 'Results of rpc:// survive a restart of the broker.', {
    old: 'CELERY_RESULT_PERSISTENT',
  }),
  result_backend_transport_options: row(
    map(anything, 'options'),
    {},
    'Further options: global_keyprefix, result_chord_ordered, master_name, sentinel_kwargs.',
    { old: 'CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS', secret: 'whole' },
  ),
  redis_backend_use_ssl: row(
    tls('ssl_'),
    false,
    'TLS to Redis: true, or the options of broker_use_ssl, each with ssl_ before it.',
    {
      old: 'CELERY_REDIS_BACKEND_USE_SSL',
      secret: 'whole',
    },
  ),
  redis_socket_timeout: row(optional(seconds), 120, 'Timeout of a reply from Redis, in seconds; 0 or null for none.', {
    old: 'CELERY_REDIS_SOCKET_TIMEOUT',
  }),
  redis_socket_connect_timeout: row(optional(seconds), null, 'Timeout of a connection attempt to Redis, in seconds.', {
    old: 'CELERY_REDIS_SOCKET_CONNECT_TIMEOUT',
  }),
} as const
