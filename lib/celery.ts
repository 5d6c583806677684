import { App } from './app/app.js'
import { BrokerOutlet } from './app/brokerOutlet.js'
import type { Outlet } from './app/outlet.js'
import type { ResourceOptions } from './app/resources.js'
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
export class Celery<Shared extends object = object> extends App<Shared> {
  /**
   * Something that tasks share, such as a pool of database connections: opened before the first task of each process or thread that runs
   * tasks, closed after its last, and there as `self.resources.NAME` in tasks with `bind: true`.
   *
   * ```ts
   * const app = new Celery('shop').resource('db', { start: () => openPool(url), stop: (pool) => pool.end() })
   * app.task('orders.count', { bind: true }, (self) => self.resources.db.count('orders'))
   * ```
   *
   * Resources are opened in the order of their definition and closed in reverse. Celery has nothing of the kind.
   * @returns the app, whose type knows of the resource
   * @throws TypeError for a name that is taken or can't be a property's, and for wrong options
   */
  resource<Name extends string, Value>(
    name: Name,
    options: ResourceOptions<Value>,
  ): Celery<Shared & { readonly [Key in Name]: Value }> {
    this.resources.add(name, options)
    return this as unknown as Celery<Shared & { readonly [Key in Name]: Value }>
  }

  protected open(): Outlet {
    const { settings, faults } = loadSettings({ config: this.conf, env: process.env, flags: {} })
    if (faults.length > 0) throw new ConfigurationError(faults)
    this.hooks.configure({ timeoutMs: settings.worker_hook_timeout * 1000, log: CLIENT_LOG })
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
