import type { Logger } from '../ports.js'
import type { Request } from '../request/request.js'

/** A task's own log: its lines carry its name and id, as those of Celery's `get_task_logger` do. */
export function taskLog(log: Logger, request: Request): Logger {
  const task = { task_name: request.name, task_id: request.id }
  return {
    debug: (message, facts) => log.debug(message, { ...facts, ...task }),
    info: (message, facts) => log.info(message, { ...facts, ...task }),
    warning: (message, facts) => log.warning(message, { ...facts, ...task }),
    error: (message, facts) => log.error(message, { ...facts, ...task }),
    critical: (message, facts) => log.critical(message, { ...facts, ...task }),
    isEnabled: (level) => log.isEnabled(level),
  }
}
