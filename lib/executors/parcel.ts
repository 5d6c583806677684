import { types } from 'node:util'
import { readableError } from '../errors.js'
import { toPlain, type WritingRules } from '../protocol/content/plain.js'
import { Decimal, PlainDate, PlainDateTime, PlainTime, PreciseDate, Uuid } from '../protocol/values.js'

/*
 * Values on their way into a child process or a thread and back. Both are copied by the structured clone algorithm, which keeps
 * dates, BigInts, maps, sets and bytes, but forgets classes: what has one of Celeriac's own, and a thread's Buffers, travel as
 *
 *   { 'celeriac.type': 'Decimal', value: '1.50' }
 */
const TAG = 'celeriac.type'
/** Far below what overflows the stack of the main thread. */
const DEEPEST = 500

const CLASSES = { Decimal, PlainDate, PlainTime, PlainDateTime, Uuid, PreciseDate } as const

const RULES: WritingRules = {
  number: (value) => value,
  bigint: (value) => value,
  object: (value, depth) => {
    const [name] = Object.entries(CLASSES).find(([, type]) => value.constructor === type) ?? []
    if (value instanceof PreciseDate && value.unchangedText === null) return new Date(value.getTime())
    if (name !== undefined) return { [TAG]: name, value: value instanceof PreciseDate ? value.text : String(value) }
    if (Buffer.isBuffer(value)) return { [TAG]: 'Buffer', value: new Uint8Array(value) }
    // V8 can't read back an error with circular causes that it wrote itself, and the channel breaks at the reader.
    if (types.isNativeError(value)) return { [TAG]: 'Error', value: partsOf(value) }
    if (Object.hasOwn(value, TAG)) return { [TAG]: 'Object', value: toPlain(Object.entries(value), RULES) }
    if (types.isMap(value))
      return within(depth, () => new Map([...value].map(([key, item]) => [pack(key), pack(item)])))
    if (types.isSet(value)) return within(depth, () => new Set([...value].map(pack)))
    return isKept(value) ? value : undefined
  },
}

/**
 * Returns a copy of a value that can be sent to a child and back. Values that no message can hold are left out as in
 * JSON: functions, symbols.
 * @throws TypeError that names the place of what can't be copied, such as a circular reference
 */
export function pack(value: unknown): unknown {
  return value === undefined ? undefined : toPlain(value, RULES)
}

/** Number of levels around the Map or Set that is being copied. */
let outer = 0

/**
 * Copies what is in a Map or Set. Their levels count, too: a thread has a larger stack than the worker, where a message
 * that can't be read is lost, and the task would never end.
 */
function within<T>(depth: number, copy: () => T): T {
  if (outer + depth >= DEEPEST) throw new TypeError(`Maps and Sets are nested deeper than ${DEEPEST} levels`)
  outer += depth + 1
  try {
    return copy()
  } finally {
    outer -= depth + 1
  }
}

/** Returns the value that was given to `pack`. */
export function unpack(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(unpack)
  if (types.isMap(value)) return new Map([...value].map(([key, item]) => [unpack(key), unpack(item)]))
  if (types.isSet(value)) return new Set([...value].map(unpack))
  if (isKept(value)) return value
  const entries = Object.entries(value)
  const { [TAG]: tag, value: inner } = value as { readonly [TAG]?: unknown; readonly value?: unknown }
  if (tag === 'Buffer') return Buffer.from(inner as Uint8Array)
  if (tag === 'Error') return errorOf(inner as ErrorParts)
  if (tag === 'Object') return Object.fromEntries(unpack(inner) as [string, unknown][])
  if (typeof tag === 'string' && tag in CLASSES) return new CLASSES[tag as keyof typeof CLASSES](String(inner))
  return Object.fromEntries(entries.map(([key, item]) => [key, unpack(item)]))
}

type ErrorParts = Pick<Error, 'name' | 'message' | 'stack'>

function partsOf(error: Error): ErrorParts {
  const { message, name, stack } = readableError(error)
  return { name, message, ...(stack === undefined ? {} : { stack }) }
}

function errorOf({ message, ...rest }: ErrorParts): Error {
  const error = new Error(message)
  for (const [name, value] of Object.entries(rest)) {
    Object.defineProperty(error, name, { value, writable: true, configurable: true })
  }
  return error
}

/** Returns whether the structured clone algorithm keeps the object unchanged. */
function isKept(value: object): boolean {
  return types.isDate(value) || types.isRegExp(value) || types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value)
}
