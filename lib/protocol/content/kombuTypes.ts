import { isUtf8 } from 'node:buffer'
import { types } from 'node:util'
import { repr } from '../repr.js'
import { Decimal, PlainDate, PlainDateTime, PlainTime, readDateTime, Uuid, writeDateTime } from '../values.js'
import { isOrdinary, toPlain } from './plain.js'

/** Found in the text of every document that has a wrapper. */
export const WRAPPER_MARK = '__type__'

const READERS: ReadonlyMap<unknown, (value: unknown) => unknown> = new Map<unknown, (value: unknown) => unknown>([
  ['datetime', (value) => readDateTime(text(value))],
  // Python writes only the day, but also reads a time after it.
  ['date', (value) => new PlainDate(text(value).slice(0, 10))],
  ['time', (value) => new PlainTime(text(value))],
  ['decimal', (value) => new Decimal(text(value))],
  ['uuid', (value) => new Uuid(text((value as { hex?: unknown } | null)?.hex))],
  ['bytes', (value) => Buffer.from(text(value))],
  ['base64', (value) => bytesOf(text(value))],
])

/*
 * kombu's JSON (5.3 and later):  {"__type__": "datetime" | "date" | "time" | "decimal" | "uuid" | "bytes" | "base64", "__value__": ...}
 * Older ones write plain strings, which stay strings: nothing tells them from others.
 */
/**
 * Replaces kombu's wrappers with their values, anywhere in a document just read, innermost first.
 * @throws TypeError for a type that kombu doesn't have, or a value that doesn't match its type, as in Python
 */
export function unwrap(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) value[at] = unwrap(value[at])
    return value
  }
  const object = value as Record<string, unknown>
  const keys = Object.keys(object)
  for (const key of keys) {
    const item = object[key]
    // Assigns only changed values, so never to a key `__proto__`, except for a wrapper under that key.
    const unwrapped = unwrap(item)
    if (unwrapped !== item)
      Object.defineProperty(object, key, { value: unwrapped, writable: true, enumerable: true, configurable: true })
  }
  if (keys.length !== 2 || !Object.hasOwn(object, '__type__') || !Object.hasOwn(object, '__value__')) return object
  const { __type__: type, __value__: wrapped } = object
  const read = READERS.get(type)
  if (!read) throw new TypeError(`Unsupported type ${repr(type, 100)}`)
  return read(wrapped)
}

/**
 * Returns a value for `writeJson`, with kombu's wrappers around what JSON can't express: Date, bytes, and the classes of
 * `values.ts`. It is a copy, unless there is nothing to wrap.
 * @throws TypeError that names the place of a value that can't be written without loss: NaN, a Map, a circular
 * reference
 */
export function wrap(value: unknown): unknown {
  if (typeof value === 'object' && isOrdinary(value)) return value
  return toPlain(value, { number: finite, bigint: (integer) => integer, object: wrapper })
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new TypeError(`${value} cannot be written as JSON`)
  return value
}

function wrapper(value: object): { __type__: string; __value__: unknown } | undefined {
  if (types.isDate(value) || value instanceof PlainDateTime)
    return { __type__: 'datetime', __value__: writeDateTime(value) }
  if (types.isUint8Array(value)) return wrappedBytes(Buffer.from(value.buffer, value.byteOffset, value.byteLength))
  if (value instanceof PlainDate) return { __type__: 'date', __value__: value.text }
  if (value instanceof PlainTime) return { __type__: 'time', __value__: value.text.replace(/Z$/i, '+00:00') }
  if (value instanceof Decimal) return { __type__: 'decimal', __value__: value.text }
  if (value instanceof Uuid) return { __type__: 'uuid', __value__: { hex: value.text.replaceAll('-', '') } }
  return undefined
}

function wrappedBytes(bytes: Buffer): { __type__: string; __value__: string } {
  return isUtf8(bytes)
    ? { __type__: 'bytes', __value__: bytes.toString('utf8') }
    : { __type__: 'base64', __value__: bytes.toString('base64') }
}

/** Node's decoder skips characters that are not base64; Python's refuses them. */
function bytesOf(base64: string): Buffer {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0)
    throw new TypeError('the value of a base64 wrapper is not valid base64')
  return Buffer.from(base64, 'base64')
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('the value of a wrapper must be a string')
  return value
}
