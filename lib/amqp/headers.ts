import type { AmqpTable } from '../protocol/amqp.js'
import { setOwn } from '../protocol/content/plain.js'

/** The largest integer that every client reads alike in the one byte in which amqplib writes it. */
const LARGEST_BYTE = 127
const LARGEST_INT = 0x7fff_ffff
const LARGEST_LONG = 2n ** 63n - 1n
/** amqplib's names of the types whose value is a number. */
const NUMBERS: ReadonlySet<string> = new Set(
  'byte int8 short int16 int int32 long int64 unsignedbyte uint8 unsignedshort uint16 unsignedint uint32 float double float64'.split(
    ' ',
  ),
)

/*
 * Field types of integers:  amqplib writes  b (-128 to 127), s (16 bits), I (32 bits), l (64 bits), whichever is enough
 *                           py-amqp reads   b as unsigned, s as a short string, I as it is meant, l as unsigned
 * An s makes py-amqp fail in the middle of the frame, which ends the process: a Python worker, too.
 */
/**
 * A message's headers with each value in a field type that Python's clients can read and amqplib can write. Every
 * message that a Python process may receive must be sent with these. Values that `fieldTable.ts` has read come out
 * unchanged, except numbers that Python would misread: an integer below -2^31 becomes a double.
 */
export function headersForAll(headers: AmqpTable): AmqpTable {
  let changed: Record<string, unknown> | null = null
  for (const name of Object.keys(headers)) {
    const value = typed(headers[name])
    if (value === headers[name]) continue
    changed ??= { ...headers }
    setOwn(changed, name, value)
  }
  // Most have nothing to change, and are sent as they are.
  return changed ?? headers
}

function typed(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? integer(value) : { '!': 'double', value }
  if (typeof value === 'bigint') return long(value)
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value
  if (Array.isArray(value)) return typedList(value)
  if (!Object.hasOwn(value, '!')) return headersForAll(value as AmqpTable)
  // amqplib's own way to name a type, used for timestamps and decimals; another table may have a key of that name, too.
  return named(value as Named) ?? { '!': 'object', value: headersForAll(value as AmqpTable) }
}

function typedList(list: readonly unknown[]): readonly unknown[] {
  const items = list.map(typed)
  return items.every((item, at) => item === list[at]) ? list : items
}

interface Named {
  readonly '!': unknown
  readonly value?: unknown
}

/** @returns null for a value that amqplib couldn't write */
function named({ '!': type, value }: Named): unknown {
  switch (type) {
    case 'timestamp':
      return isUnsigned(value) ? { '!': type, value } : null
    case 'decimal': {
      const { places, digits } = (value ?? {}) as { readonly places?: unknown; readonly digits?: unknown }
      if (!isByte(places) || !Number.isInteger(digits) || Math.abs(Number(digits)) > 2 * LARGEST_INT + 1) return null
      // amqplib writes them as unsigned; Python's are signed.
      return { '!': type, value: { places, digits: Number(digits) >>> 0 } }
    }
    default:
      return typeof type === 'string' && NUMBERS.has(type) && typeof value === 'number' ? typed(value) : null
  }
}

function isByte(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255
}

function isUnsigned(value: unknown): boolean {
  if (typeof value === 'bigint') return value >= 0n && value <= 2n * LARGEST_LONG + 1n
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function integer(value: number): unknown {
  if (value >= 0 && value <= LARGEST_BYTE) return value
  if (Math.abs(value) <= LARGEST_INT) return { '!': 'int', value }
  return Number.isSafeInteger(value) && value > 0 ? { '!': 'long', value } : { '!': 'double', value }
}

function long(value: bigint): unknown {
  return value >= 0n && value <= LARGEST_LONG ? { '!': 'long', value } : { '!': 'double', value: Number(value) }
}
