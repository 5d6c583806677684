import { CeleriacError, readableError } from '../errors.js'
import { jsonText } from './content/jsonText.js'
import { namesOf, type PythonNames } from './pythonNames.js'
import { repr, reprArgs } from './repr.js'

export { namesOf, type PythonNames } from './pythonNames.js'

/** An exception as results carry it; Celery's clients raise it again from this. */
export interface ExceptionDict {
  /** Name of its class in Python. */
  readonly exc_type: string
  /** Arguments that the class is built from. */
  readonly exc_message: readonly unknown[]
  /** Module of the class; null if it is not known. */
  readonly exc_module: string | null
}

/**
 * Maximum number of characters of an exception's text in a result: a longer one isn't for people, and may exceed the
 * broker's limits.
 */
const LONGEST_TEXT = 65_536

/**
 * An exception from a result, with its Python name; its `cause` was not sent. Thrown again in a task, it keeps its name
 * and arguments.
 */
export class RemoteError extends CeleriacError {
  /** Name of its class in Python. */
  readonly excType: string
  /** Module of that class; null if it is not known. */
  readonly excModule: string | null
  /** Arguments that Python's class was built from. */
  readonly args: readonly unknown[]

  constructor({ exc_type, exc_message, exc_module }: ExceptionDict) {
    super('CELERIAC_REMOTE', textOf(exc_message), { facts: { excType: exc_type, excModule: exc_module } })
    this.name = exc_type
    this.excType = exc_type
    this.excModule = exc_module
    this.args = exc_message
  }
}

/**
 * Encodes an error as Celery 5.6 writes an exception into a result; texts over 65,536 characters are cut. Never throws.
 */
export function encodeException(given: Error): ExceptionDict {
  const error = readableError(given)
  const { excType, excModule } = namesOf(error)
  return { exc_type: excType, exc_message: argsOf(error).map(sendable), exc_module: excModule }
}

/**
 * Decodes a result's exception. A value that is not an exception dict becomes a plain exception with that value as its
 * text.
 */
export function decodeException(value: unknown): RemoteError {
  const { exc_type, exc_message, exc_module } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >
  if (typeof exc_type !== 'string') {
    return new RemoteError({
      exc_type: 'Exception',
      exc_message: value === null ? [] : [value],
      exc_module: 'builtins',
    })
  }
  return new RemoteError({
    exc_type,
    exc_message: Array.isArray(exc_message) ? exc_message : exc_message === undefined ? [] : [exc_message],
    exc_module: typeof exc_module === 'string' ? exc_module : null,
  })
}

/**
 * Returns an error's text as Python's `str(exc)`: its only argument, or all of them as a tuple; cut after 65,536
 * characters.
 */
export function messageOf(error: Error): string {
  return cut(textOf(argsOf(error)))
}

function argsOf(error: Error): readonly unknown[] {
  const { args } = error as Error & PythonNames
  if (Array.isArray(args)) return args
  return error.message === '' ? [] : [error.message]
}

function textOf(args: readonly unknown[]): string {
  if (args.length === 0) return ''
  const [only] = args
  if (args.length > 1) return reprArgs(args)
  return typeof only === 'string' ? only : repr(only)
}

/** As Celery does, sends the text of a value that can't be serialized. */
function sendable(arg: unknown): unknown {
  if (typeof arg === 'string') return cut(arg)
  if (typeof arg === 'function' || typeof arg === 'symbol') return repr(arg)
  const text = jsonText(arg)
  return text === null || text.length > LONGEST_TEXT ? repr(arg) : arg
}

function cut(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}...` : text
}
