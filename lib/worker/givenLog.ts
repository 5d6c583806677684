import { LEVEL_NUMBERS } from '../log/line.js'
import type { Logger, LogLevel } from '../ports.js'
import { maskSecrets } from '../settings/mask.js'

/** A log such as `console`, winston or pino have it. */
export interface PlainLogger {
  /** Writes a line that only those want who look for a fault. */
  debug(message: string, facts?: Record<string, unknown>): void
  /** Writes a line. */
  info(message: string, facts?: Record<string, unknown>): void
  /** Writes a line about what may need a look. */
  warn(message: string, facts?: Record<string, unknown>): void
  /** Writes a line about what has failed. */
  error(message: string, facts?: Record<string, unknown>): void
}

/** What a level's method is called, the first that there is. */
const METHODS = {
  DEBUG: ['debug'],
  INFO: ['info'],
  WARNING: ['warning', 'warn'],
  ERROR: ['error'],
  CRITICAL: ['critical', 'error'],
} as const

/** A program's own log, for a worker: from a level on, without secrets. What it throws is lost, as the line is: no task may fail for it. */
export class GivenLog implements Logger {
  private readonly threshold: number

  constructor(
    private readonly given: PlainLogger | Logger,
    level: LogLevel,
    private readonly secrets: readonly string[],
  ) {
    this.threshold = LEVEL_NUMBERS[level]
  }

  debug(message: string, facts?: Record<string, unknown>): void {
    this.write('DEBUG', message, facts)
  }

  info(message: string, facts?: Record<string, unknown>): void {
    this.write('INFO', message, facts)
  }

  warning(message: string, facts?: Record<string, unknown>): void {
    this.write('WARNING', message, facts)
  }

  error(message: string, facts?: Record<string, unknown>): void {
    this.write('ERROR', message, facts)
  }

  critical(message: string, facts?: Record<string, unknown>): void {
    this.write('CRITICAL', message, facts)
  }

  isEnabled(level: LogLevel): boolean {
    const { given } = this
    return this.threshold <= LEVEL_NUMBERS[level] && (!('isEnabled' in given) || given.isEnabled(level))
  }

  private write(level: keyof typeof METHODS, message: string, facts: Record<string, unknown> | undefined): void {
    if (this.threshold > LEVEL_NUMBERS[level]) return
    const text = maskSecrets(message, this.secrets)
    try {
      const given = this.given as unknown as Readonly<Record<string, (...line: unknown[]) => void>>
      const method = METHODS[level].find((name) => typeof given[name] === 'function') ?? 'error'
      // Called as its own: winston's methods need their logger. `console` would write an undefined out.
      if (facts === undefined) given[method]?.(text)
      else given[method]?.(text, facts)
    } catch {
      // The program's to know.
    }
  }
}

/** What a program has given for a log, if it isn't one. */
export function logFault(given: unknown): string | null {
  if (given === undefined) return null
  const methods = typeof given === 'object' && given !== null ? (given as Record<string, unknown>) : {}
  const has = (name: string): boolean => typeof methods[name] === 'function'
  return has('debug') && has('info') && has('error') && (has('warn') || has('warning'))
    ? null
    : 'logger: expected an object with the functions debug, info, warn and error, such as console'
}
