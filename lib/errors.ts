import { types } from 'node:util'

/** The facts an error carries besides its text; they end up in the structured log. */
export type ErrorFacts = Readonly<Record<string, unknown>>

/**
 * The base of every error that Celeriac itself raises.
 * `code` is stable and made to be searched for; `retriable` says whether the same call may succeed later.
 */
export class CeleriacError extends Error {
  readonly code: string
  readonly retriable: boolean
  readonly facts: ErrorFacts

  constructor(
    code: string,
    message: string,
    options: { retriable?: boolean; facts?: ErrorFacts; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.retriable = options.retriable ?? false
    this.facts = options.facts ?? {}
  }
}

/** Everything wrong with a start (flags, environment, configuration, the app module), told at once; ends it with exit code 2. */
export class ConfigurationError extends CeleriacError {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super('CELERIAC_CONFIGURATION', faults.join('\n'), { facts: { faults } })
    this.faults = faults
  }
}

/** The broker can't be used: refused, lost, or closed our channel. */
export class BrokerError extends CeleriacError {
  constructor(message: string, options: { retriable?: boolean; facts?: ErrorFacts; cause?: unknown } = {}) {
    super('CELERIAC_BROKER', message, { retriable: true, ...options })
  }
}

/** The stop of the worker has cut a wait short: for the broker, the result backend, a child. That is neither a task's fault nor its end. */
export class StoppedError extends CeleriacError {
  constructor(message: string) {
    super('CELERIAC_STOPPED', message, { retriable: true })
  }
}

/**
 * Turns whatever was caught into an `Error`, so that code after a `catch` has one type to deal with. Errors of another realm (a
 * vm context, as test runners have it) are errors all the same.
 */
export function coerceError(thrown: unknown): Error {
  if (thrown instanceof Error || types.isNativeError(thrown)) return thrown
  return new Error(typeof thrown === 'string' ? thrown : `a non-error was thrown: ${String(thrown)}`, { cause: thrown })
}
