import type { Breakers } from '../app/breakers.js'
import { ConfigurationError } from '../errors.js'
import type { Settings } from '../settings/table.js'
import type { StopLimit } from '../stopLimit.js'
import { END_MS } from './childPool.js'
import type { Executor } from './executor.js'
import { type AppAround, InlineExecutor, type InlineOptions } from './inline.js'
import { preforkPool } from './prefork.js'
import { threadsPool } from './threads.js'

export interface ExecutorOptions extends Omit<InlineOptions, 'resourceTimeoutMs'> {
  readonly app: AppAround & { readonly breakers: Breakers }
  readonly stopLimit: StopLimit
}

/**
 * Creates the executor that `-P` names.
 * @throws ConfigurationError for a pool whose children would have no module to load
 */
export function createExecutor(settings: Settings, options: ExecutorOptions): Executor {
  const { worker_pool: pool } = settings
  const resourceTimeoutMs = settings.worker_resource_timeout * 1000
  if (pool !== 'prefork' && pool !== 'processes' && pool !== 'threads')
    return new InlineExecutor({ ...options, resourceTimeoutMs })
  const specifier = settings.app
  if (specifier === null)
    throw new ConfigurationError([`-P/--pool ${pool}: -A must name the module that its children load`])
  const { app, clock, hooks, hostname, log, size, stopLimit } = options
  const terms = { hostname, hookTimeoutMs: settings.worker_hook_timeout * 1000, resourceTimeoutMs }
  const resourcesMs = app.resources.count * resourceTimeoutMs
  const child = {
    breakers: app.breakers,
    hooks,
    loadMs: settings.worker_proc_alive_timeout * 1000 + resourcesMs,
    endMs: END_MS + resourcesMs,
    clock,
    hostname,
    log,
    size,
    stopLimit,
    source: { specifier, cwd: process.cwd(), include: [...settings.imports, ...settings.include], terms },
    maxTasksPerChild: settings.worker_max_tasks_per_child,
    maxMemoryPerChildKib: settings.worker_max_memory_per_child,
    env: sendingFrom(settings),
  }
  return pool === 'threads' ? threadsPool(child) : preforkPool(child)
}

/** Settings for sending in children: the command line's broker and result backend apply to what tasks send, too. */
function sendingFrom({ broker_url, result_backend }: Settings): Record<string, string> {
  return {
    CELERY_BROKER_URL: broker_url,
    ...(result_backend === null ? {} : { CELERY_RESULT_BACKEND: result_backend }),
  }
}
