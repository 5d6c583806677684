import { parseBrokerUrl } from '../brokerUrl.js'
import { anything, choice, count, map, optional, positiveSeconds, text, tls, toggle } from '../parse.js'
import { type Parse, row } from '../row.js'

/** One URL or several, joined by `;` or in an array; kept as text. */
const brokerUrls: Parse<string, string | readonly string[]> = (raw) => {
  const urls = text(Array.isArray(raw) ? raw.join(';') : raw)
  if (parseBrokerUrl(urls).length === 0)
    throw new TypeError('expected a URL such as amqp://user:password@host:5672/vhost')
  return urls
}

/** Settings of the broker. */
export const BROKER = {
  broker_url: row(
    brokerUrls,
    'amqp://guest@localhost//',
    'URL of RabbitMQ; several are separated by ;. memory:// is a broker inside the process.',
    {
      flag: '-b, --broker <url>',
      env: ['BROKER_URL'],
      old: 'BROKER_URL',
      secret: true,
    },
  ),
  broker_read_url: row(optional(brokerUrls), null, 'Consume from here instead of broker_url.', {
    old: 'BROKER_READ_URL',
    secret: true,
  }),
  broker_write_url: row(optional(brokerUrls), null, 'Send to here instead of broker_url.', {
    old: 'BROKER_WRITE_URL',
    secret: true,
  }),
  broker_heartbeat: row(count({ max: 65_535 }), 120, 'Seconds between AMQP heartbeats; 0 turns them off.', {
    old: 'BROKER_HEARTBEAT',
  }),
  broker_connection_timeout: row(positiveSeconds, 4, 'Timeout of one connection attempt, in seconds.', {
    old: 'BROKER_CONNECTION_TIMEOUT',
  }),
  broker_connection_max_retries: row(
    optional(count()),
    null,
    'Connection attempts before giving up; null for no limit.',
    {
      old: 'BROKER_CONNECTION_MAX_RETRIES',
      zero: 'is unset',
    },
  ),
  broker_connection_retry_max_interval: row(
    positiveSeconds,
    8,
    'Longest delay between two connection attempts, in seconds.',
  ),
  broker_connection_retry: row(
    toggle,
    true,
    'Reconnect after a lost connection; false ends the worker with exit code 1.',
    {
      old: 'BROKER_CONNECTION_RETRY',
    },
  ),
  broker_connection_retry_on_startup: row(
    optional(toggle),
    null,
    'Keep trying to connect at the start; null means as broker_connection_retry.',
    { old: 'BROKER_CONNECTION_RETRY_ON_STARTUP' },
  ),
  broker_failover_strategy: row(
    choice(['round-robin', 'shuffle']),
    'round-robin',
    'How the next of several brokers is chosen after a failure.',
    {
      old: 'BROKER_FAILOVER_STRATEGY',
    },
  ),
  broker_use_ssl: row(
    tls(''),
    false,
    'TLS: true, or { ca_certs, certfile, keyfile, password, cert_reqs, server_hostname, check_hostname, ciphers }.',
    {
      old: 'BROKER_USE_SSL',
      secret: 'whole',
    },
  ),
  broker_native_delayed_delivery_queue_type: row(
    choice(['quorum', 'classic']),
    'quorum',
    'Type of the delay queues, in which tasks wait that are due much later.',
    { old: 'BROKER_NATIVE_DELAYED_DELIVERY_QUEUE_TYPE' },
  ),
  broker_transport_options: row(
    map(anything, 'options'),
    {},
    'Only manager_hostname, manager_port, manager_userid and manager_password are used, by `celeriac list bindings`.',
    { old: 'BROKER_TRANSPORT_OPTIONS', secret: 'whole' },
  ),
  broker_login_method: row(optional(text), null, 'PLAIN, AMQPLAIN or EXTERNAL.', {
    old: 'BROKER_LOGIN_METHOD',
    inert: 'give it in the URL, as in amqp://host//?login_method=EXTERNAL',
  }),
} as const
