import { types } from 'node:util'
import { lazily } from '../../lazily.js'
import { PreciseDate } from '../values.js'
import { BodyCount, type BodyLimits } from './bodyLimits.js'
import { type Scan, scanMsgpack } from './msgpackScan.js'
import { setOwn, toPlain } from './plain.js'

const msgpack = lazily<typeof import('@msgpack/msgpack')>('@msgpack/msgpack')

const SMALLEST = -(2n ** 63n)
const LARGEST = 2n ** 64n - 1n

/**
 * Decodes a msgpack document as Python's `unpackb(raw=False)` does: binaries are Buffers, integers past 2^53 BigInt,
 * timestamps (which Python's producers never send) Dates.
 * @throws BadMessage if it exceeds the limits; another Error if it is not a msgpack document
 */
export function readMsgpack(content: Buffer, limits: BodyLimits): unknown {
  // Scanned first, since the library allocates as many items as a head announces, before it has read the first.
  const scan: Scan = scanMsgpack(content, new BodyCount(limits))
  const value = msgpack().decode(content, { useBigInt64: scan.hasLongIntegers })
  return scan.hasLongIntegers || scan.hasBinaries ? natural(value) : value
}

/** @throws TypeError that names the place of a value that msgpack, or Python's reader of it, can't express */
export function writeMsgpack(value: unknown): Buffer {
  const plain = toPlain(value, { number: longInteger, bigint: integer64, object: special })
  const bytes = msgpack().encode(plain, { useBigInt64: true, maxDepth: 2000 })
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Converts small BigInts to numbers and plain byte arrays to Buffers, in place. */
function natural(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (typeof value !== 'object' || value === null || types.isDate(value)) return value
  if (types.isUint8Array(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) value[at] = natural(value[at])
    return value
  }
  const object = value as Record<string, unknown>
  for (const key of Object.keys(object)) setOwn(object, key, natural(object[key]))
  return object
}

/** With `useBigInt64` the library writes numbers of more than 32 bits as floats. */
function longInteger(value: number): number | bigint {
  return Number.isSafeInteger(value) && (value >= 2 ** 32 || value < -(2 ** 31)) ? BigInt(value) : value
}

function integer64(value: bigint): bigint {
  if (value < SMALLEST || value > LARGEST)
    throw new TypeError(`${value} has more than the 64 bits of msgpack's integers`)
  return value
}

function special(value: object): unknown {
  if (value instanceof PreciseDate || ('text' in value && 'toJSON' in value)) {
    throw new TypeError(`a ${value.constructor.name} cannot be written as msgpack`)
  }
  if (types.isDate(value) && Number.isNaN(value.getTime())) throw new TypeError("an invalid Date can't be written")
  return types.isUint8Array(value) || types.isDate(value) ? value : undefined
}
