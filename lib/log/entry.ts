import type { LogLevel } from '../ports.js'

export interface LogEntry {
  readonly level: LogLevel
  readonly message: string
  /** Part of the worker that logs. */
  readonly scope: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Facts for JSON. The stack of an `error` is shown, and `details` become further lines of the message. */
  readonly facts?: Readonly<Record<string, unknown>> | undefined
}
