// Programs load these when they first need them. A worker has them from its start: its package may be replaced while it runs.
import '../app/applyCanvas.js'
import '../app/builtIns/unlock.js'
import { ConfigurationError, coerceError } from '../errors.js'
import { expandPath } from './nodename.js'
import { Worker, type WorkerOptions } from './worker.js'

/**
 * Makes the engine of a worker, for the command as for programs: the paths among its settings are expanded, and what the engine can't
 * accept (an order key's path, for example) is a fault of the configuration like any other.
 * @throws ConfigurationError
 */
export function buildWorker(options: WorkerOptions, home = process.env.HOME): Worker {
  const { nodename, settings } = options
  const path = (template: string | null): string | null => template && expandPath(template, nodename, home)
  try {
    return new Worker({
      ...options,
      settings: {
        ...settings,
        worker_state_db: path(settings.worker_state_db),
        worker_heap_snapshot: path(settings.worker_heap_snapshot),
      },
    })
  } catch (thrown) {
    throw thrown instanceof ConfigurationError ? thrown : new ConfigurationError([coerceError(thrown).message])
  }
}
