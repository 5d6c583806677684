import { LOG_LEVELS, type Logger, type LogLevel } from '../ports.js'

/** A line that was logged. */
export interface KeptLine {
  /** Its level. */
  readonly level: LogLevel
  /** Its text. */
  readonly message: string
  /** What was given beside the text. */
  readonly facts: Readonly<Record<string, unknown>>
}

/** A log that keeps its lines in memory, every level on: for tests. */
export class KeptLog implements Logger {
  /** All lines, oldest first. */
  readonly lines: KeptLine[] = []

  debug = (message: string, facts = {}): void => this.keep('DEBUG', message, facts)
  info = (message: string, facts = {}): void => this.keep('INFO', message, facts)
  warning = (message: string, facts = {}): void => this.keep('WARNING', message, facts)
  error = (message: string, facts = {}): void => this.keep('ERROR', message, facts)
  critical = (message: string, facts = {}): void => this.keep('CRITICAL', message, facts)

  /** Every level is. */
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
