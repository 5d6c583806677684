// Programs load these when they first need them. A worker has them from its start: its package may be replaced while it runs.
import '../app/applyCanvas.js'
import '../app/builtIns/unlock.js'
import { ConfigurationError, coerceError } from '../errors.js'
import { expandPath } from './nodename.js'
import { Worker, type WorkerOptions } from './worker.js'

/**
 * Builds the engine of a worker, for the command and for programs. Paths in the settings are expanded, and whatever the
 * engine can't accept (such as an order key's path) is a configuration error like any other.
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
