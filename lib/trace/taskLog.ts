import { coerceError } from '../errors.js'
import type { Logger, LogLevel } from '../ports.js'
import type { Request } from '../request/request.js'

type Facts = Record<string, unknown>

/** A task's own log: its lines carry the task's name and id, as with Celery's `get_task_logger`. */
export class TaskLog implements Logger {
  constructor(
    private readonly log: Logger,
    private readonly request: Request,
  ) {}

  debug(message: string, facts?: Facts): void {
    this.log.debug(message, this.named(facts))
  }

  info(message: string, facts?: Facts): void {
    this.log.info(message, this.named(facts))
  }

  warning(message: string, facts?: Facts): void {
    this.log.warning(message, this.named(facts))
  }

  error(message: string, facts?: Facts): void {
    this.log.error(message, this.named(facts))
  }

  critical(message: string, facts?: Facts): void {
    this.log.critical(message, this.named(facts))
  }

  isEnabled(level: LogLevel): boolean {
    return this.log.isEnabled(level)
  }

  private named(facts: Facts | undefined): Facts {
    const named = { task_name: this.request.name, task_id: this.request.id }
    try {
      return { ...facts, ...named }
    } catch (thrown) {
      // A log line must not fail because of its facts.
      return { facts: coerceError(thrown).message, ...named }
    }
  }
}
