import { isUtf8 } from 'node:buffer'
import { BadMessage } from '../protocol/badMessage.js'
import { setOwn } from '../protocol/content/plain.js'
import { RecentTexts } from './recentTexts.js'

/** The most levels of tables and lists that are read; `worker_max_message_nesting` may allow fewer. */
export const DEEPEST = 1000

/** What a decoder writes for bytes that are not valid UTF-8. */
const REPLACED = '\ufffd'
const texts = new RecentTexts()
const [SURROGATES, SURROGATE_SECOND] = [0xed, 0xa0]
/** A surrogate that was encoded on its own. */
const LONE = /\xed([\xa0-\xbf])([\x80-\xbf])/g

/*
 * Table:  uint32 length, then for each entry: uint8 length and name, a type, its value        List:  uint32 length, then types and values
 *
 *   t bool      b int8    B uint8     s U int16   u uint16      I int32   i uint32     l L int64 (py-amqp writes L, most others l)
 *   f float     d double  D decimal: uint8 scale, int32         T timestamp: uint64    S text     x bytes    F table    A list    V null
 */
/**
 * Reads AMQP field tables, with the types of both RabbitMQ and py-amqp. amqplib's own reader doesn't know `L`, which
 * Python uses for every integer of more than 31 bits, and follows nested tables until the stack overflows; either would
 * end the connection, and again on each redelivery.
 * Each byte is read once. Integers beyond 2^53 become BigInt, text that is not valid UTF-8 becomes a Buffer as it
 * becomes bytes in Python, and timestamps and decimals have amqplib's form `{ '!': type, value }`.
 */
export class FieldReader {
  constructor(
    private readonly bytes: Buffer,
    /** The position of the next byte. */
    public at = 0,
  ) {}

  /** @throws BadMessage if the table is truncated, has an unknown type, or has more than `DEEPEST` levels */
  table(end: number, depth = 1): Record<string, unknown> {
    const until = this.container(end, depth)
    const table: Record<string, unknown> = {}
    while (this.at < until) setOwn(table, this.shortText(until), this.value(until, depth))
    return table
  }

  /** Text of at most 255 bytes; invalid UTF-8 in it is replaced. */
  shortText(end: number): string {
    const length = this.byte(end)
    const from = this.take(length, end)
    return texts.read(this.bytes, from, from + length)
  }

  byte(end: number): number {
    return this.bytes[this.take(1, end)] as number
  }

  /** A number if that is exact, else a BigInt. */
  uint64(end: number): number | bigint {
    return exact(this.bytes.readBigUInt64BE(this.take(8, end)))
  }

  private list(end: number, depth: number): unknown[] {
    const until = this.container(end, depth)
    if (this.at >= until) return []
    const first = this.value(until, depth)
    if (this.at >= until) return [first]
    // Nearly every list is the two numbers of `timelimit`: an array that grows has room for many more.
    const list = [first, this.value(until, depth)]
    while (this.at < until) list.push(this.value(until, depth))
    return list
  }

  private value(end: number, depth: number): unknown {
    const { bytes } = this
    const type = this.byte(end)
    switch (type) {
      case 0x53: // S
        return this.text(end)
      case 0x49: // I
        return bytes.readInt32BE(this.take(4, end))
      case 0x56: // V
        return null
      case 0x74: // t
        return this.byte(end) !== 0
      case 0x6c: // l
      case 0x4c: // L
        return exact(bytes.readBigInt64BE(this.take(8, end)))
      case 0x64: // d
        return bytes.readDoubleBE(this.take(8, end))
      case 0x46: // F
        return this.table(end, depth + 1)
      case 0x41: // A
        return this.list(end, depth + 1)
      case 0x62: // b
        return bytes.readInt8(this.take(1, end))
      case 0x42: // B
        return this.byte(end)
      case 0x73: // s
      case 0x55: // U
        return bytes.readInt16BE(this.take(2, end))
      case 0x75: // u
        return bytes.readUInt16BE(this.take(2, end))
      case 0x69: // i
        return bytes.readUInt32BE(this.take(4, end))
      case 0x66: // f
        return bytes.readFloatBE(this.take(4, end))
      case 0x78: // x
        return this.slice(end)
      case 0x54: // T
        return { '!': 'timestamp', value: this.uint64(end) }
      case 0x44: // D
        return {
          '!': 'decimal',
          value: { places: this.byte(end), digits: bytes.readInt32BE(this.take(4, end)) },
        }
      default:
        throw new BadMessage('invalid-header', `the headers hold a value of an unknown type: 0x${type.toString(16)}`)
    }
  }

  private text(end: number): string | Buffer {
    const length = this.bytes.readUInt32BE(this.take(4, end))
    const from = this.take(length, end)
    const text = texts.read(this.bytes, from, from + length)
    if (!text.includes(REPLACED)) return text
    const slice = this.bytes.subarray(from, from + length)
    return isUtf8(slice) ? text : (withSurrogates(slice) ?? slice)
  }

  private slice(end: number): Buffer {
    const length = this.bytes.readUInt32BE(this.take(4, end))
    const from = this.take(length, end)
    return this.bytes.subarray(from, from + length)
  }

  /** @returns the end of the table or list that begins here */
  private container(end: number, depth: number): number {
    if (depth > DEEPEST) throw new BadMessage('too-deep', `the headers are nested deeper than ${DEEPEST} levels`)
    const length = this.bytes.readUInt32BE(this.take(4, end))
    if (length > end - this.at) throw truncated()
    return this.at + length
  }

  /** Skips so many bytes. @returns the position of the first */
  private take(length: number, end: number): number {
    const from = this.at
    if (length > end - from) throw truncated()
    this.at = from + length
    return from
  }
}

function truncated(): BadMessage {
  return new BadMessage('invalid-header', 'the headers end in the middle of a value')
}

function exact(integer: bigint): number | bigint {
  const number = Number(integer)
  return Number.isSafeInteger(number) ? number : integer
}

/**
 * Python sends text that was read from bytes, such as file names, with surrogates that UTF-8 forbids, and can read it
 * back: `surrogatepass`.
 */
function withSurrogates(bytes: Buffer): string | null {
  if (!bytes.some((byte, at) => byte === SURROGATES && Number(bytes[at + 1]) >= SURROGATE_SECOND)) return null
  const parts: string[] = []
  const latin1 = bytes.toString('latin1')
  let from = 0
  for (const { 0: lone, 1: second = '', 2: third = '', index } of latin1.matchAll(LONE)) {
    const before = bytes.subarray(from, index)
    if (!isUtf8(before)) return null
    const unit = 0xd000 | ((second.charCodeAt(0) & 0x3f) << 6) | (third.charCodeAt(0) & 0x3f)
    parts.push(before.toString('utf8'), String.fromCharCode(unit))
    from = index + lone.length
  }
  const rest = bytes.subarray(from)
  return isUtf8(rest) ? parts.join('') + rest.toString('utf8') : null
}
