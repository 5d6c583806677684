import type { BodyCount } from './bodyLimits.js'

/** Result of a walk over the heads of a msgpack document. */
export interface Scan {
  readonly hasLongIntegers: boolean
  readonly hasBinaries: boolean
}

/** What follows a head: a number of bytes of payload and a number of values. */
interface Head {
  /** Bytes of the head itself. */
  readonly length: number
  readonly payload: number
  readonly values: number
}

/*
 * head      00-7f, e0-ff: a small integer   80-8f map   90-9f array   a0-bf text   c0, c2, c3: nil, false, true
 * bin, ext  c4-c6, c7-c9 with a length of 1, 2, 4 bytes (ext: and one for its type)
 * numbers   ca cb: float 32, 64   cc-cf: unsigned of 1, 2, 4, 8 bytes   d0-d3: signed   d4-d8: ext of 1, 2, 4, 8, 16 bytes
 * text, array, map with a length   d9-db   dc dd   de df
 */
/**
 * Checks a document by reading only its heads, without recursion or memory of its own: safe on any input.
 * @throws SyntaxError if the document ends too early, continues after its end, or announces more values than it has
 * bytes; what `count` throws if it contains too much
 */
export function scanMsgpack(content: Buffer, count: BodyCount): Scan {
  /** For each open container, innermost last: the number of values pending once it is complete. */
  const open: number[] = []
  let at = 0
  let pending = 1
  let hasLongIntegers = false
  let hasBinaries = false
  while (pending > 0) {
    const code = content[at]
    if (code === undefined) throw new SyntaxError('unexpected end of msgpack data')
    const head = headOf(content, at, code)
    if (code === 0xcf || code === 0xd3) hasLongIntegers = true
    if (code >= 0xc4 && code <= 0xc6) hasBinaries = true
    at += head.length + head.payload
    pending += head.values - 1
    if (at > content.length || pending > content.length - at)
      throw new SyntaxError('msgpack data is shorter than its headers say')
    if (isObject(code)) count.add(1)
    if (isMap(code)) count.add(head.values / 2)
    if (isContainer(code)) {
      open.push(pending - head.values)
      count.nest(open.length)
    }
    while (open.length > 0 && pending <= (open.at(-1) ?? 0)) open.pop()
  }
  if (at !== content.length) throw new SyntaxError('msgpack data goes on after its end')
  return { hasLongIntegers, hasBinaries }
}

function isContainer(code: number): boolean {
  return (code >= 0x80 && code <= 0x9f) || (code >= 0xdc && code <= 0xdf)
}

function isMap(code: number): boolean {
  return (code >= 0x80 && code <= 0x8f) || (code >= 0xde && code <= 0xdf)
}

/** Returns whether the code is a container, or a binary or extension, each of which becomes an object as well. */
function isObject(code: number): boolean {
  return isContainer(code) || (code >= 0xc4 && code <= 0xc9) || (code >= 0xd4 && code <= 0xd8)
}

function headOf(content: Buffer, at: number, code: number): Head {
  if (code <= 0x7f || code >= 0xe0) return { length: 1, payload: 0, values: 0 }
  if (code <= 0x8f) return { length: 1, payload: 0, values: (code & 0x0f) * 2 }
  if (code <= 0x9f) return { length: 1, payload: 0, values: code & 0x0f }
  if (code <= 0xbf) return { length: 1, payload: code & 0x1f, values: 0 }
  if (code <= 0xc3) return { length: 1, payload: 0, values: 0 }
  if (code <= 0xc6) return sized(content, at, 1 << (code - 0xc4))
  if (code <= 0xc9) return sized(content, at, 1 << (code - 0xc7), 1)
  if (code <= 0xcb) return { length: 1, payload: 4 << (code - 0xca), values: 0 }
  if (code <= 0xcf) return { length: 1, payload: 1 << (code - 0xcc), values: 0 }
  if (code <= 0xd3) return { length: 1, payload: 1 << (code - 0xd0), values: 0 }
  if (code <= 0xd8) return { length: 2, payload: 1 << (code - 0xd4), values: 0 }
  if (code <= 0xdb) return sized(content, at, 1 << (code - 0xd9))
  const width = code === 0xdc || code === 0xde ? 2 : 4
  const count = lengthAt(content, at + 1, width)
  return { length: 1 + width, payload: 0, values: code >= 0xde ? count * 2 : count }
}

function sized(content: Buffer, at: number, width: number, extra = 0): Head {
  return { length: 1 + width + extra, payload: lengthAt(content, at + 1, width), values: 0 }
}

function lengthAt(content: Buffer, at: number, width: number): number {
  if (at + width > content.length) throw new SyntaxError('unexpected end of msgpack data')
  return content.readUIntBE(at, width)
}
