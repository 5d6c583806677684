import type { Logger } from '../ports.js'
import { secretsOf } from '../settings/mask.js'
import type { PreparedWorker } from './embeddedOptions.js'
import { GivenLog } from './givenLog.js'

/** Log of a worker. */
export interface WorkerLog {
  logger(scope: string): Logger
  /** Resolves when all lines are written. */
  close(): Promise<void>
}

/** Opens the log of a worker that a program starts: the program's own, or Celery's lines on stderr. */
export async function openLog({ logger, settings }: Pick<PreparedWorker, 'logger' | 'settings'>): Promise<WorkerLog> {
  const secrets = secretsOf(settings)
  if (logger !== null) {
    const given = new GivenLog(logger, settings.loglevel, secrets)
    return { logger: () => given, close: async () => undefined }
  }
  // Programs with a logger of their own need not load winston.
  const { createLog } = await import('../log/log.js')
  return createLog({
    level: settings.loglevel,
    format: settings.log_format,
    color: settings.worker_log_color !== false,
    template: settings.worker_log_format,
    taskTemplate: settings.worker_task_log_format,
    secrets,
  })
}
