import type { Parse } from './row.js'
import { switchWord } from './switchWord.js'
import { checkTlsWords, type TlsWords } from './tlsWords.js'

/*
 * Parsers take the text of a flag or of the environment, or the JavaScript value from an app's configuration. Each
 * throws a TypeError that says what it expected; the loader adds where the value came from.
 */

function expected(what: string): TypeError {
  return new TypeError(`expected ${what}`)
}

/** Any text but an empty one. */
export const text: Parse<string> = (raw) => {
  if (typeof raw !== 'string' || raw === '') throw expected('a text')
  return raw
}

/** A file mode mask in octal digits, such as 022. */
export const octal: Parse<string> = (raw) => {
  if (typeof raw !== 'string' || !/^0?[0-7]{1,3}$/.test(raw)) throw expected('a mask in octal digits, such as 022')
  return raw
}

/** Null for null and for an empty text. */
export function optional<T, In = T>(parse: Parse<T, In>): Parse<T | null, In | null> {
  return (raw) => (raw === null || raw === undefined || raw === '' ? null : parse(raw))
}

/** A switch, in the words that Celery and click accept, in any case. */
export const toggle: Parse<boolean> = (raw) => {
  const value = typeof raw === 'object' ? undefined : switchWord(String(raw))
  if (value === undefined) throw expected('a switch: true or false, yes or no, on or off, 1 or 0')
  return value
}

/** As on no-color.org: any value counts, unless it plainly says no. */
export const presence: Parse<boolean> = (raw) => switchWord(String(raw)) ?? String(raw) !== ''

const SHORTEST_TOKEN = 16

/** A secret that is too long to guess, and that the header of a request can carry. */
export const token: Parse<string> = (raw) => {
  if (typeof raw !== 'string' || raw.length < SHORTEST_TOKEN) {
    throw expected(`a text of at least ${SHORTEST_TOKEN} characters`)
  }
  if (!/^[!-~]+$/.test(raw)) throw expected('only visible ASCII characters, without blanks and line ends')
  return raw
}

function numberFrom(raw: unknown, form: RegExp): number {
  if (typeof raw === 'number') return raw
  return typeof raw === 'string' && form.test(raw.trim()) ? Number(raw) : Number.NaN
}

/** A whole number. */
export function count({ min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {}): Parse<number> {
  return (raw) => {
    const value = numberFrom(raw, /^[+-]?\d+$/)
    if (Number.isSafeInteger(value) && value >= min && value <= max) return value
    throw expected(
      max === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`,
    )
  }
}

/** A duration in seconds; fractions are allowed. */
export const seconds: Parse<number> = (raw) => {
  const value = numberFrom(raw, /^\+?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i)
  if (Number.isFinite(value) && value >= 0) return value
  throw expected('a number of seconds, such as 30 or 0.5, not below 0')
}

/** A duration of more than 0 seconds. */
export const positiveSeconds: Parse<number> = (raw) => {
  if (seconds(raw) > 0) return seconds(raw)
  throw expected('a number of seconds above 0')
}

export interface Range {
  readonly max: number
  readonly min: number
}

/**
 * `10,2` or `2,10`, or the maximum alone, as `--autoscale` reads it; also `[10, 2]`, `10` and `{ max, min }`. The
 * minimum is at least one slot.
 */
export const range: Parse<Range, Range | number | readonly [number, number] | `${number}` | `${number},${number}`> = (
  raw,
) => {
  const parts =
    typeof raw === 'string'
      ? raw.split(',')
      : Array.isArray(raw)
        ? raw
        : typeof raw === 'object' && raw !== null && 'max' in raw
          ? [raw.max, 'min' in raw ? raw.min : 0]
          : [raw]
  const numbers = parts.map((part) => numberFrom(part, /^\+?\d+$/))
  const [first = 0, second = 0] = numbers
  const max = Math.max(first, second)
  if (numbers.length <= 2 && numbers.every((number) => Number.isSafeInteger(number) && number >= 0) && max > 0) {
    return { max, min: Math.max(1, Math.min(first, second)) }
  }
  throw expected('the most and the fewest slots as whole numbers, such as 10,2, or the most alone')
}

/** Names separated by commas, kept as they are, blanks too (as in Celery); or an array of names. */
export const list: Parse<readonly string[], readonly string[] | string> = (raw) => {
  const parts: readonly unknown[] = typeof raw === 'string' ? raw.split(',') : Array.isArray(raw) ? raw : ['']
  if (parts.every((part): part is string => typeof part === 'string' && part !== '')) return parts
  throw expected('names separated by commas, none of them empty')
}

/** One of a few words; with `anyCase` in any case. */
export function choice<const T extends string>(
  words: readonly T[],
  options: { anyCase?: boolean } = {},
): Parse<T, T | Lowercase<T>> {
  const parse = (raw: unknown): T => {
    const given = options.anyCase ? String(raw).toLowerCase() : raw
    const word = words.find((word) => (options.anyCase ? word.toLowerCase() : word) === given)
    if (word === undefined) throw expected(`one of ${words.join(', ')}`)
    return word
  }
  return Object.assign(parse, { words })
}

/** An object, or its JSON text. `what` is the name of the values in errors. */
export function map<T, In = T>(
  parse: Parse<T, In>,
  what: string,
): Parse<Readonly<Record<string, T>>, Readonly<Record<string, In>>> {
  return (raw) => {
    const value = fromJson(raw)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw expected(`${what}, as an object or its JSON text`)
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => {
        try {
          return [key, parse(entry)]
        } catch (thrown) {
          throw new TypeError(`${JSON.stringify(key)}: ${(thrown as Error).message}`)
        }
      }),
    )
  }
}

/** Parses a JSON text. Other values, and texts that aren't JSON, are returned unchanged. */
export function fromJson(raw: unknown): unknown {
  if (typeof raw !== 'string') return raw
  try {
    return JSON.parse(raw)
  } catch {
    return raw
  }
}

/** Any value. */
export const anything: Parse<unknown> = (raw) => raw

const tlsWords = map(anything, 'true, false or the TLS options')

/** A switch for TLS, or its options under Python's names, each with a prefix. */
export function tls(prefix: '' | 'ssl_'): Parse<boolean | TlsWords> {
  return (raw) => {
    const value = fromJson(raw)
    if (typeof value !== 'object') return toggle(value)
    const words = tlsWords(value)
    checkTlsWords(words, prefix)
    return words
  }
}
