import type { Breakers } from '../app/breakers.js'
import { ConfigurationError } from '../errors.js'
import type { Settings } from '../settings/table.js'
import type { StopLimit } from '../stopLimit.js'
import type { Executor } from './executor.js'
import { InlineExecutor, type InlineOptions } from './inline.js'
import { preforkPool } from './prefork.js'
import { threadsPool } from './threads.js'

export interface ExecutorOptions extends InlineOptions {
  readonly breakers: Breakers
  readonly stopLimit: StopLimit
}

/**
 * Where the tasks of a worker run, as `-P` says.
 * @throws ConfigurationError for a pool whose children would have no module to load
 */
export function createExecutor(settings: Settings, options: ExecutorOptions): Executor {
  const { worker_pool: pool } = settings
  if (pool !== 'prefork' && pool !== 'processes' && pool !== 'threads') return new InlineExecutor(options)
  const specifier = settings.app
  if (specifier === null)
    throw new ConfigurationError([`-P/--pool ${pool}: -A must name the module that its children load`])
  const { breakers, clock, hostname, log, size, stopLimit } = options
  const child = {
    breakers,
    clock,
    hostname,
    log,
    size,
    stopLimit,
    source: { specifier, cwd: process.cwd(), include: [...settings.imports, ...settings.include] },
    maxTasksPerChild: settings.worker_max_tasks_per_child,
    maxMemoryPerChildKib: settings.worker_max_memory_per_child,
    // What the command line says of the broker holds for what tasks send, too.
    env: { CELERY_BROKER_URL: settings.broker_url },
  }
  return pool === 'threads' ? threadsPool(child) : preforkPool(child)
}
