import { readableError } from '../errors.js'
import { LEVEL_NUMBERS } from '../log/line.js'
import type { Logger, LogLevel } from '../ports.js'
import { maskSecrets } from '../settings/mask.js'

/** A logger in the form of `console`, winston or pino. */
export interface PlainLogger {
  /** Writes a line that only helps to find a fault. */
  debug(message: string, facts?: Record<string, unknown>): void
  /** Writes a line. */
  info(message: string, facts?: Record<string, unknown>): void
  /** Writes a warning. */
  warn(message: string, facts?: Record<string, unknown>): void
  /** Writes an error. */
  error(message: string, facts?: Record<string, unknown>): void
}

/** Method names for each level; the first that exists is used. */
const METHODS = {
  DEBUG: ['debug'],
  INFO: ['info'],
  WARNING: ['warning', 'warn'],
  ERROR: ['error'],
  CRITICAL: ['critical', 'error'],
} as const

/**
 * Writes to a program's own logger: lines from a level on, without secrets. What the logger throws is dropped together
 * with the line: no task may fail because of it.
 */
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
      // Called as a method: winston's need their logger as `this`. `console` would print an undefined.
      if (facts === undefined) given[method]?.(text)
      else given[method]?.(text, this.withoutSecrets(facts))
    } catch {
      // For the program to notice.
    }
  }

  private withoutSecrets(facts: Record<string, unknown>): Record<string, unknown> {
    return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, masked(value, this.secrets)]))
  }
}

/** An error may be its own cause. */
const MOST_CAUSES = 10

/** Returns a text or an error without secrets; an error that has none is passed as it is. */
function masked(value: unknown, secrets: readonly string[], causes = MOST_CAUSES): unknown {
  if (typeof value === 'string') return maskSecrets(value, secrets)
  if (!(value instanceof Error) || causes === 0) return value
  const error = readableError(value)
  const parts = (['message', 'stack', 'cause'] as const).filter((name) => name in error)
  const own = new Map(parts.map((name) => [name, masked(error[name], secrets, causes - 1)]))
  if (parts.every((name) => own.get(name) === error[name])) return value
  // Of the same class, by which a logger may tell errors apart.
  const copy: Error = Object.create(Object.getPrototypeOf(error), Object.getOwnPropertyDescriptors(error))
  for (const [name, shown] of own) {
    Object.defineProperty(copy, name, { value: shown, writable: true, configurable: true })
  }
  return copy
}

/** Returns what is wrong with a logger that a program passed; null for nothing. */
export function logFault(given: unknown): string | null {
  if (given === undefined) return null
  const methods = typeof given === 'object' && given !== null ? (given as Record<string, unknown>) : {}
  const has = (name: string): boolean => typeof methods[name] === 'function'
  return has('debug') && has('info') && has('error') && (has('warn') || has('warning'))
    ? null
    : 'logger: expected an object with the functions debug, info, warn and error, such as console'
}
