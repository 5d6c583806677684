import { switchWord } from '../settings/switchWord.js'

/** The arguments of a command, as they came. */
export type Arguments = Readonly<Record<string, unknown>>

/** Python's exceptions, whose repr is what the asker reads. */
export class KeyError extends Error {
  override readonly name = 'KeyError'
}
export class AttributeError extends Error {
  override readonly name = 'AttributeError'
}
export class ValueError extends Error {
  override readonly name = 'ValueError'
}

/** An argument of a command: how the command line reads a word for it, and how the worker reads what came. */
export interface Argument<T> {
  /** A list takes all the words that are left. */
  readonly type: 'text' | 'int' | 'float' | 'list' | 'bool'
  /** Whether the command can't do without it. */
  readonly required: boolean
  /** @throws TypeError, ValueError in Python's words */
  read(value: unknown, name: string): T
}

/** An argument that `read` makes a value of. */
export function argument<T>(type: Argument<T>['type'], read: Argument<T>['read']): Argument<T> {
  return { type, required: false, read }
}

/** Makes an argument one that the command can't do without. */
export function required<T>(of: Argument<T>): Argument<T> {
  return { ...of, required: true }
}

/** Makes null of an argument that wasn't given, or given as Python's `None`. */
export function optional<T>(of: Argument<T>): Argument<T | null> {
  return { ...of, read: (value, name) => (value === undefined || value === null ? null : of.read(value, name)) }
}

/** Gives an argument a value for when it wasn't given. `None` is no such value, as in a call in Python. */
export function byDefault<T>(of: Argument<T>, value: unknown): Argument<T> {
  return { ...of, read: (given, name) => of.read(given === undefined ? value : given, name) }
}

/** Whatever came. */
export const raw: Argument<unknown> = argument('text', (value) => value)

/** The text of whatever came. */
export const anyText: Argument<string> = argument('text', String)

/** A text, or null for everything else. */
export const textOrNull: Argument<string | null> = argument('text', (value) =>
  typeof value === 'string' && value !== '' ? value : null,
)

/** A text; ValueError for everything else. */
export const name: Argument<string> = argument('text', (value, of) => {
  if (typeof value === 'string' && value !== '') return value
  throw new ValueError(`${of} must be a name`)
})

/** One text, or a list of which the texts count: Celery's `maybe_list`. */
export const texts: Argument<string[]> = argument('list', (value) =>
  [value].flat().filter((each) => typeof each === 'string'),
)

/** Python's truth, for switches that may also come as the text of a command line. */
export const truth: Argument<boolean> = argument('bool', (value) =>
  typeof value === 'string' ? (switchWord(value) ?? (value !== '' && value.toLowerCase() !== 'none')) : Boolean(value),
)

/**
 * A whole number. The text of one is none, in Python as here: the command line has made a number of it.
 * TypeError in Python's words for what isn't a whole number, ValueError for one that is below `least` or beyond all measure.
 */
export function integer(least: number): Argument<number> {
  return argument('int', (value, name) => {
    const isWhole = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))
    if (!isWhole) throw new TypeError(`'${pythonType(value)}' object cannot be interpreted as an integer`)
    if (value >= least && value <= Number.MAX_SAFE_INTEGER) return Number(value)
    throw new ValueError(`${name} must be a whole number, ${least} or more`)
  })
}

/** What Python calls the type of a value that came as JSON. */
function pythonType(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType'
  if (typeof value === 'object') return Array.isArray(value) ? 'list' : 'dict'
  return { string: 'str', boolean: 'bool', number: 'float' }[typeof value as string] ?? 'object'
}
