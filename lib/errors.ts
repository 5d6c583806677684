import { inspect, types } from 'node:util'

/** The facts an error carries besides its text; they end up in the structured log. */
export type ErrorFacts = Readonly<Record<string, unknown>>

/**
 * The base of every error that Celeriac itself raises.
 * `code` is stable and made to be searched for; `retriable` says whether the same call may succeed later.
 */
export class CeleriacError extends Error {
  /** A stable name to search for, such as `CELERIAC_BROKER`. */
  readonly code: string
  /** Whether the same call may succeed later. */
  readonly retriable: boolean
  /** What is known besides the text. */
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
  /** Each fault as a text of its own. */
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

/** Characters that a text of something thrown has at most. */
const LONGEST_TEXT = 10_000

/**
 * Turns whatever was caught into an `Error`, so that code after a `catch` has one type to deal with. Errors of another realm (a
 * vm context, as test runners have it) are errors all the same. One that throws when it is looked at, or whose parts are of other
 * types than an error's, is replaced by a copy that can be read; its class stays. Never throws.
 */
export function coerceError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error || types.isNativeError(thrown)) return readableError(thrown)
    if (typeof thrown === 'string') return new Error(thrown, { cause: thrown })
    return new Error(`a non-error was thrown: ${textOf(thrown)}`, types.isProxy(thrown) ? undefined : { cause: thrown })
  } catch {
    // A proxy that throws whatever is asked of it.
    return new Error('a non-error was thrown: one that cannot be read')
  }
}

/** The error itself; for one that throws when it is looked at, a copy that can be read. Never throws. */
export function readableError(error: Error): Error {
  return isReadable(error) ? error : readableCopy(error)
}

/** A text of any value, as `String` has it where that says anything; never throws. At most 10,000 characters. */
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

/** What is read of an error later on: by logs, results, events and the console. */
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

/** Own properties, so that getters of the class are never asked again. */
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
