import { LOG_LEVELS, type Logger, type LogLevel } from '../../lib/ports.js'

/** A logger that keeps its lines, every level on. */
export class MemoryLog implements Logger {
  readonly lines: Array<{ level: LogLevel; message: string; facts: Record<string, unknown> }> = []

  debug = (message: string, facts = {}): void => this.keep('DEBUG', message, facts)
  info = (message: string, facts = {}): void => this.keep('INFO', message, facts)
  warning = (message: string, facts = {}): void => this.keep('WARNING', message, facts)
  error = (message: string, facts = {}): void => this.keep('ERROR', message, facts)
  critical = (message: string, facts = {}): void => this.keep('CRITICAL', message, facts)

  isEnabled(level: LogLevel): boolean {
    return LOG_LEVELS.includes(level)
  }

  /** The texts of one level. */
  of(level: LogLevel): string[] {
    return this.lines
      .filter((line) => line.level === level)
      .map(({ facts, message }) => `${message}${facts.details ?? ''}`)
  }

  private keep(level: LogLevel, message: string, facts: Record<string, unknown>): void {
    this.lines.push({ level, message, facts })
  }
}
