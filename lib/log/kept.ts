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

  /** Keeps a line at DEBUG. */
  debug = (message: string, facts = {}): void => this.keep('DEBUG', message, facts)
  /** Keeps a line at INFO. */
  info = (message: string, facts = {}): void => this.keep('INFO', message, facts)
  /** Keeps a line at WARNING. */
  warning = (message: string, facts = {}): void => this.keep('WARNING', message, facts)
  /** Keeps a line at ERROR. */
  error = (message: string, facts = {}): void => this.keep('ERROR', message, facts)
  /** Keeps a line at CRITICAL. */
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
