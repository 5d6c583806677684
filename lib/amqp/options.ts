import type { Clock, Logger } from '../ports.js'
import { parseBrokerUrl } from '../settings/brokerUrl.js'
import type { Settings } from '../settings/table.js'
import type { ConnectionOptions } from './connection.js'

/** The options of a connection to the broker, for consuming or for publishing, from the settings. */
export function connectionOptions(
  name: 'consumer' | 'producer',
  settings: Settings,
  clock: Clock,
  log: Logger,
): Omit<ConnectionOptions, 'onUp' | 'onDown' | 'gaveUp'> {
  const url = (name === 'consumer' ? settings.broker_read_url : settings.broker_write_url) ?? settings.broker_url
  const urls = parseBrokerUrl(url)
  const { broker_connection_retry: later, broker_connection_retry_on_startup: atStart } = settings
  return {
    name,
    urls: settings.broker_failover_strategy === 'shuffle' ? urls.toSorted(() => Math.random() - 0.5) : urls,
    heartbeat: settings.broker_heartbeat,
    connectTimeoutMs: settings.broker_connection_timeout * 1000,
    maxDelayMs: settings.broker_connection_retry_max_interval * 1000,
    maxRetries: settings.broker_connection_max_retries,
    // Without the consumer's connection there is no worker; the others come back with it.
    ...(name === 'consumer' ? { retries: { atStart: atStart ?? later, later } } : {}),
    useSsl: settings.broker_use_ssl,
    clock,
    log,
  }
}
