import { switchWord } from '../settings/switchWord.js'

/** Arguments of a command, as they were received. */
export type Arguments = Readonly<Record<string, unknown>>

/** Python's exceptions: clients read their repr. */
export class KeyError extends Error {
  override readonly name = 'KeyError'
}
export class AttributeError extends Error {
  override readonly name = 'AttributeError'
}
export class ValueError extends Error {
  override readonly name = 'ValueError'
}

/** An argument of a command: how the command line reads a word for it, and how the worker reads the value received. */
export interface Argument<T> {
  /** A list takes all remaining words. */
  readonly type: 'text' | 'int' | 'float' | 'list' | 'bool'
  /** True if the command can't run without it. */
  readonly required: boolean
  /** @throws TypeError, ValueError in Python's words */
  read(value: unknown, name: string): T
}

/** Makes an argument that `read` converts. */
export function argument<T>(type: Argument<T>['type'], read: Argument<T>['read']): Argument<T> {
  return { type, required: false, read }
}

/** Makes an argument required. */
export function required<T>(of: Argument<T>): Argument<T> {
  return { ...of, required: true }
}

/** Makes an argument optional: null if it wasn't given, or given as Python's `None`. */
export function optional<T>(of: Argument<T>): Argument<T | null> {
  return { ...of, read: (value, name) => (value === undefined || value === null ? null : of.read(value, name)) }
}

/** Gives an argument a default value. `None` doesn't select the default, as in a call in Python. */
export function byDefault<T>(of: Argument<T>, value: unknown): Argument<T> {
  return { ...of, read: (given, name) => of.read(given === undefined ? value : given, name) }
}

/** Accepts any value unchanged. */
export const raw: Argument<unknown> = argument('text', (value) => value)

/** Accepts any value, as text. */
export const anyText: Argument<string> = argument('text', String)

/** Accepts a text; null for anything else. */
export const textOrNull: Argument<string | null> = argument('text', (value) =>
  typeof value === 'string' && value !== '' ? value : null,
)

/** Accepts a text; ValueError for anything else. */
export const name: Argument<string> = argument('text', (value, of) => {
  if (typeof value === 'string' && value !== '') return value
  throw new ValueError(`${of} must be a name`)
})

/** Accepts one text, or a list, of which the texts are used: Celery's `maybe_list`. */
export const texts: Argument<string[]> = argument('list', (value) =>
  [value].flat().filter((each) => typeof each === 'string'),
)

/** Converts by Python's truth, for switches that may also come as the text of a command line. */
export const truth: Argument<boolean> = argument('bool', (value) =>
  typeof value === 'string' ? (switchWord(value) ?? (value !== '' && value.toLowerCase() !== 'none')) : Boolean(value),
)

/**
 * Accepts a whole number. Text is refused, as in Python: the command line has converted it to a number. TypeError in
 * Python's words for anything else, ValueError for a number below `least` or too large to be exact.
 */
export function integer(least: number): Argument<number> {
  return argument('int', (value, name) => {
    const isWhole = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))
    if (!isWhole) throw new TypeError(`'${pythonType(value)}' object cannot be interpreted as an integer`)
    if (value >= least && value <= Number.MAX_SAFE_INTEGER) return Number(value)
    throw new ValueError(`${name} must be a whole number, ${least} or more`)
  })
}

/** Returns Python's name for the type of a value that came as JSON. */
function pythonType(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType'
  if (typeof value === 'object') return Array.isArray(value) ? 'list' : 'dict'
  return { string: 'str', boolean: 'bool', number: 'float' }[typeof value as string] ?? 'object'
}
