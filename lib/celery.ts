import { App } from './app/app.js'
import { LazyOutlet } from './app/lazyOutlet.js'
import type { Outlet } from './app/outlet.js'
import type { ResourceOptions } from './app/resources.js'
import { ConfigurationError } from './errors.js'
import { onlyWarnings } from './log/onlyWarnings.js'
import { loadSettings } from './settings/load.js'

const CLIENT_LOG = onlyWarnings((message) => process.emitWarning(message, 'CeleriacWarning'))

/**
 * An application: its tasks and its configuration, and the client that sends messages. Mirrors Python's `celery.Celery`.
 * Connects to the broker with the first message; a worker that runs the app lends it its own connection.
 */
export class Celery<Shared extends object = object> extends App<Shared> {
  /**
   * Defines something that tasks share, such as a pool of database connections: opened before the first task of each
   * process or thread that runs tasks, closed after its last, and available as `self.resources.NAME` in tasks with
   * `bind: true`.
   *
   * ```ts
   * const app = new Celery('shop').resource('db', { start: () => openPool(url), stop: (pool) => pool.end() })
   * app.task('orders.count', { bind: true }, (self) => self.resources.db.count('orders'))
   * ```
   *
   * Resources are opened in the order of their definition and closed in reverse. Celery has nothing like it.
   * @returns the app, whose type includes the resource
   * @throws TypeError for a name that is taken or can't be the name of a property, and for wrong options
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
    const load = async (): Promise<Outlet> =>
      (await import('./worker/client.js')).openClient(settings, this.oid, CLIENT_LOG)
    return new LazyOutlet(settings, load)
  }
}
