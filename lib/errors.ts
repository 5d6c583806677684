import { inspect, types } from 'node:util'

/** The facts an error carries besides its text; they end up in the structured log. */
export type ErrorFacts = Readonly<Record<string, unknown>>

/**
 * The base of every error that Celeriac itself raises. `code` is stable, for searching; `retriable` says whether the
 * same call may succeed later.
 */
export class CeleriacError extends Error {
  /** A stable name to search for, such as `CELERIAC_BROKER`. */
  readonly code: string
  /** Whether the same call may succeed later. */
  readonly retriable: boolean
  /** Facts besides the text. */
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

/**
 * Everything that is wrong at a start (flags, environment, configuration, the app module), in one error; the start ends
 * with exit code 2.
 */
export class ConfigurationError extends CeleriacError {
  /** One text for each fault. */
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

/**
 * The stop of the worker has ended a wait: for the broker, the result backend, a child. The task itself neither failed
 * nor ended.
 */
export class StoppedError extends CeleriacError {
  constructor(message: string) {
    super('CELERIAC_STOPPED', message, { retriable: true })
  }
}

/** The most characters in the text of a thrown value. */
const LONGEST_TEXT = 10_000

/**
 * Turns any caught value into an `Error`, so that code after a `catch` handles a single type. Errors of another realm
 * (a vm context, as in test runners) are errors too. An error that throws when it is read, or whose properties have
 * unexpected types, is replaced by a readable copy; its class stays. Never throws.
 */
export function coerceError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error || types.isNativeError(thrown)) return readableError(thrown)
    if (typeof thrown === 'string') return new Error(thrown, { cause: thrown })
    return new Error(`a non-error was thrown: ${textOf(thrown)}`, types.isProxy(thrown) ? undefined : { cause: thrown })
  } catch {
    // A proxy that throws on every access.
    return new Error('a non-error was thrown: one that cannot be read')
  }
}

/** The error itself; or a readable copy if it throws when it is read. Never throws. */
export function readableError(error: Error): Error {
  return isReadable(error) ? error : readableCopy(error)
}

/** Any value as text, from `String` unless that says nothing; never throws. At most 10,000 characters. */
export function textOf(value: unknown): string {
  let text = '[object '
  try {
    text = String(value)
  } catch {
    // An object without a prototype, or with a `toString` that throws.
  }
  try {
    // Without getters and the object's own `inspect`, so that none of its code runs.
    if (text.startsWith('[object ')) text = inspect(value, { depth: 1, breakLength: Infinity, customInspect: false })
  } catch {
    text = 'a value that cannot be shown'
  }
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}...` : text
}

/** The parts of an error that are read later: by logs, results, events and the console. */
interface ErrorParts {
  readonly name: unknown
  readonly message: unknown
  readonly stack: unknown
  readonly cause: unknown
  readonly args: unknown
  readonly excType: unknown
  readonly excModule: unknown
  readonly constructor: unknown
}

function isReadable(error: Error): boolean {
  if (types.isProxy(error)) return false
  try {
    const { args, cause, constructor: type, excModule, excType, message, name, stack } = error as unknown as ErrorParts
    return (
      typeof name === 'string' &&
      typeof message === 'string' &&
      isTextOrAbsent(stack) &&
      isTextOrAbsent(excType) &&
      (excModule === null || isTextOrAbsent(excModule)) &&
      !types.isProxy(cause) &&
      areReadable(args) &&
      isReadableClass(type)
    )
  } catch {
    return false
  }
}

function areReadable(args: unknown): boolean {
  // `every` reads each of them.
  return !types.isProxy(args) && (!Array.isArray(args) || args.every(() => true))
}

function isReadableClass(type: unknown): boolean {
  if (typeof type !== 'function' || types.isProxy(type)) return false
  const { excModule, excType, name } = type as unknown as ErrorParts
  return typeof name === 'string' && isTextOrAbsent(excType) && (excModule === null || isTextOrAbsent(excModule))
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

/** Own properties, so that getters of the class are never called again. */
function readableCopy(thrown: Error): Error {
  const parts = thrown as unknown as ErrorParts
  const part = (name: keyof ErrorParts): unknown => read(() => parts[name])
  const text = (name: keyof ErrorParts): string | undefined => {
    const value = part(name)
    return typeof value === 'string' ? value : undefined
  }
  const message = part('message')
  const copy = new Error(message === undefined ? 'its message cannot be read' : textOf(message))
  const prototype = read<unknown>(() => Object.getPrototypeOf(thrown))
  const type = part('constructor')
  const args = part('args')
  const keepsClass = prototype instanceof Error || prototype === Error.prototype
  const own: Record<string, unknown> = {
    name: text('name') ?? 'Error',
    stack: text('stack') ?? copy.stack,
    cause: undefined,
    args: read(() => areReadable(args)) === true ? args : undefined,
    excType: text('excType'),
    excModule: text('excModule'),
    constructor: read(() => isReadableClass(type)) === true ? type : Error,
  }
  if (keepsClass && !types.isProxy(prototype)) Object.setPrototypeOf(copy, prototype)
  for (const [name, value] of Object.entries(own)) {
    Object.defineProperty(copy, name, { value, writable: true, configurable: true })
  }
  return copy
}

function read<T>(fn: () => T): T | undefined {
  try {
    return fn()
  } catch {
    return undefined
  }
}
