import { DelayQueues } from './amqp/delayed.js'
import { connectionOptions } from './amqp/options.js'
import { AmqpOutlet } from './amqp/outlet.js'
import { Postponer } from './amqp/postponer.js'
import { AmqpPublisher } from './amqp/publisher.js'
import { AmqpReplies } from './amqp/replies.js'
import { App } from './app/app.js'
import type { Outlet } from './app/outlet.js'
import { createBackend } from './backends/index.js'
import { StartingBackend } from './backends/starting.js'
import { systemClock } from './clock.js'
import { ConfigurationError } from './errors.js'
import type { Logger } from './ports.js'
import { loadSettings } from './settings/load.js'

/** Celery's `task_publish_retry_policy`: a producer that can't reach the broker hears of it after this many tries. */
const PUBLISH_RETRIES = 3

const say = (message: string): void => process.emitWarning(message, 'CeleriacWarning')
const CLIENT_LOG: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warning: say,
  error: say,
  critical: say,
  isEnabled: (level) => level !== 'DEBUG' && level !== 'INFO',
}

/**
 * An application: its tasks and its configuration, and the client that sends messages. Mirrors Python's `celery.Celery`.
 * Connects to the broker with the first message; a worker that runs the app lends it its own connection.
 */
export class Celery extends App {
  protected open(): Outlet {
    const { settings, faults } = loadSettings({ config: this.conf, env: process.env, flags: {} })
    if (faults.length > 0) throw new ConfigurationError(faults)
    const options = { log: CLIENT_LOG, maxRetries: PUBLISH_RETRIES }
    const publisher = new AmqpPublisher({
      ...connectionOptions('producer', settings, systemClock, CLIENT_LOG),
      ...options,
    })
    const replies = new AmqpReplies({ ...connectionOptions('consumer', settings, systemClock, CLIENT_LOG), ...options })
    const backend = new StartingBackend(
      createBackend(settings, { publisher, log: CLIENT_LOG, replies: { queue: this.oid, inlet: replies } }),
    )
    const delays = new DelayQueues(settings.broker_native_delayed_delivery_queue_type, CLIENT_LOG)
    return new AmqpOutlet(publisher, new Postponer(publisher, delays), backend, settings, CLIENT_LOG)
  }
}
