import { LOG_LEVELS, type Logger, type LogLevel } from '../ports.js'

/** A line that was logged. */
export interface KeptLine {
  /** Level of the line. */
  readonly level: LogLevel
  /** Text of the line. */
  readonly message: string
  /** Facts given with the text. */
  readonly facts: Readonly<Record<string, unknown>>
}

/** A log for tests that keeps its lines in memory, with all levels. */
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

  /** Always true. */
  isEnabled(level: LogLevel): boolean {
    return LOG_LEVELS.includes(level)
  }

  /** Returns the texts of one level. */
  of(level: LogLevel): string[] {
    return this.lines
      .filter((line) => line.level === level)
      .map(({ facts, message }) => `${message}${facts.details ?? ''}`)
  }

  private keep(level: LogLevel, message: string, facts: Record<string, unknown>): void {
    this.lines.push({ level, message, facts })
  }
}
