import type { LogLevel } from '../ports.js'

export interface LogEntry {
  readonly level: LogLevel
  readonly message: string
  /** The part of the worker that speaks. */
  readonly scope: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** The stack of an `error` is shown, and `details` are further lines of the message. */
  readonly facts?: Readonly<Record<string, unknown>> | undefined
}
