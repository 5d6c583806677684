import { App } from './app/app.js'
import { BrokerOutlet } from './app/brokerOutlet.js'
import type { Outlet } from './app/outlet.js'
import { createBackend } from './backends/index.js'
import { StartingBackend } from './backends/starting.js'
import { systemClock } from './clock.js'
import { ConfigurationError } from './errors.js'
import { onlyWarnings } from './log/onlyWarnings.js'
import { loadSettings } from './settings/load.js'
import { createBroker } from './worker/brokers.js'

/** Celery's `task_publish_retry_policy`: a producer that can't reach the broker hears of it after this many tries. */
const PUBLISH_RETRIES = 3

const CLIENT_LOG = onlyWarnings((message) => process.emitWarning(message, 'CeleriacWarning'))

/**
 * An application: its tasks and its configuration, and the client that sends messages. Mirrors Python's `celery.Celery`.
 * Connects to the broker with the first message; a worker that runs the app lends it its own connection.
 */
export class Celery extends App {
  protected open(): Outlet {
    const { settings, faults } = loadSettings({ config: this.conf, env: process.env, flags: {} })
    if (faults.length > 0) throw new ConfigurationError(faults)
    const broker = createBroker({
      settings,
      clock: systemClock,
      maxRetries: PUBLISH_RETRIES,
      log: () => CLIENT_LOG,
    })
    const { publisher, results: inlet } = broker
    const backend = createBackend(settings, { publisher, log: CLIENT_LOG, replies: { queue: this.oid, inlet } })
    return new BrokerOutlet(broker, new StartingBackend(backend), settings)
  }
}
