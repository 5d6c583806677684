import { readJson } from '../protocol/content/json.js'
import { repr } from '../protocol/repr.js'
import { TextValue } from '../protocol/values.js'

/** A float whose value is a whole number: Python shows `120.0` where an int would be `120`. */
export class Float {
  constructor(readonly value: number) {}

  /** Formats the number as Python's `repr`. */
  toString(): string {
    if (Math.abs(this.value) >= 1e16) return this.value.toExponential()
    return `${Object.is(this.value, -0) ? '-0' : this.value}.0`
  }

  valueOf(): number {
    return this.value
  }
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
const MARK = '\u0000float'

/**
 * Parses a JSON text and keeps Python's floats distinct from its ints: for replies and events, which are shown as
 * Python shows them.
 * @throws SyntaxError when the text is not valid JSON
 */
export function readPythonJson(text: string): unknown {
  let marked = false
  const mark = (number: string): string => {
    if (!/[.eE]/.test(number) || !Number.isInteger(Number(number))) return number
    marked = true
    return `{${JSON.stringify(MARK)}:${number}}`
  }
  const parts: string[] = []
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at)
    const begin = quote === -1 ? text.length : quote
    parts.push(text.slice(at, begin).replace(NUMBER, mark))
    at = endOfString(text, begin)
    parts.push(text.slice(begin, at))
  }
  const value = readJson(parts.join(''))
  return marked ? withFloats(value) : value
}

/**
 * Where the string ends that begins at a quote. Without a pattern: it would take a place on the stack of the regular
 * expression for each character, and fail at ten million.
 */
function endOfString(text: string, begin: number): number {
  for (let at = begin + 1; ; ) {
    const quote = text.indexOf('"', at)
    if (quote === -1) return text.length
    let before = quote
    while (text[before - 1] === '\\') before--
    at = quote + 1
    if ((quote - before) % 2 === 0) return at
  }
}

function withFloats(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withFloats)
  if (!isDict(value)) return value
  if (MARK in value) return new Float(Number(value[MARK]))
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withFloats(inner)]))
}

/** Whether the value is a dict in Python. */
export function isDict(value: unknown): value is Record<string, unknown> {
  const isPlain = Object.prototype.toString.call(value) === '[object Object]'
  return isPlain && !(value instanceof Float) && !(value instanceof TextValue)
}

/** Python's `str`: a string as it is, a time in readable form, everything else as its `repr`. */
export function pythonStr(value: unknown): string {
  if (value instanceof TextValue) return value.text
  if (value instanceof Date) return `${pythonTime(value.getTime() / 1000)}+00:00`
  return typeof value === 'string' ? value : pythonRepr(value)
}

/**
 * A time as `str(datetime.utcfromtimestamp(...))` shows it: to the microsecond, without a fraction if there is none.
 * @param timestamp seconds since the epoch
 */
export function pythonTime(timestamp: number): string {
  const whole = Math.floor(timestamp)
  const microseconds = Math.round((timestamp - whole) * 1e6)
  const time = new Date((whole + Math.floor(microseconds / 1e6)) * 1000)
  if (Number.isNaN(time.getTime())) return String(timestamp)
  const fraction = microseconds % 1e6
  const text = time.toISOString().slice(0, 19).replace('T', ' ')
  return fraction === 0 ? text : `${text}.${String(fraction).padStart(6, '0')}`
}

/** Python's `repr` of a value that came as JSON, in full. */
export function pythonRepr(value: unknown): string {
  if (value instanceof Float) return String(value)
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(', ')}]`
  if (isDict(value)) {
    return `{${Object.entries(value)
      .map(([key, inner]) => `${pythonRepr(key)}: ${pythonRepr(inner)}`)
      .join(', ')}}`
  }
  return repr(value, Number.POSITIVE_INFINITY)
}

export interface JsonStyle {
  /** Spaces per level; on one line if not given. */
  readonly indent?: number
  readonly sortKeys?: boolean
}

/** Python's `json.dumps`: with spaces after the separators, and only ASCII. */
export function pythonJson(value: unknown, { indent, sortKeys = false }: JsonStyle = {}): string {
  const write = (value: unknown, depth: number): string => {
    if (Array.isArray(value)) {
      return enclosed(
        '[]',
        value.map((item) => write(item, depth + 1)),
        depth,
      )
    }
    if (isDict(value)) {
      const keys = sortKeys ? Object.keys(value).sort() : Object.keys(value)
      return enclosed(
        '{}',
        keys.map((key) => `${asciiString(key)}: ${write(value[key], depth + 1)}`),
        depth,
      )
    }
    return typeof value === 'string' ? asciiString(value) : jsonAtom(value)
  }
  const enclosed = (brackets: string, items: readonly string[], depth: number): string => {
    const [open, close] = brackets
    if (items.length === 0) return brackets
    if (indent === undefined) return `${open}${items.join(', ')}${close}`
    const line = (level: number): string => `\n${' '.repeat(indent * level)}`
    return `${open}${line(depth + 1)}${items.join(`,${line(depth + 1)}`)}${line(depth)}${close}`
  }
  return write(value, 0)
}

function asciiString(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function jsonAtom(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'
  }
  if (typeof value === 'boolean') return String(value)
  return value === null || value === undefined ? 'null' : pythonRepr(value)
}
