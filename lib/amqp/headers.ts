import type { AmqpTable } from '../ports.js'

/** The integers that every client reads alike in the one byte that amqplib gives them. */
const LARGEST_BYTE = 127
const LARGEST_INT = 0x7fff_ffff

/*
 * Field types of integers:  amqplib writes  b (-128 to 127), s (16 bits), I (32 bits), l (64 bits), whichever is enough
 *                           py-amqp reads   b as unsigned, s as a short string, I as it is meant, l as unsigned
 * An s makes py-amqp fail in the middle of the frame, which ends the process: a Python worker, too.
 */
/**
 * A message's headers with each integer in a field type that Python's clients can read. Every message that a Python process may get
 * has to go out with these.
 */
export function headersForAll(headers: AmqpTable): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, typed(value)]))
}

function typed(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? integer(value) : value
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value
  if (Array.isArray(value)) return value.map(typed)
  // amqplib's own way to name a type; timestamps and decimals come in like this.
  return Object.hasOwn(value, '!') ? value : headersForAll(value as AmqpTable)
}

function integer(value: number): unknown {
  if (value >= 0 && value <= LARGEST_BYTE) return value
  if (Math.abs(value) <= LARGEST_INT) return { '!': 'int', value }
  return Number.isSafeInteger(value) && value > 0 ? { '!': 'long', value } : { '!': 'double', value }
}
