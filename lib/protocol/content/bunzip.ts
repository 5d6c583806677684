import { Crc } from './bunzipCrc.js'
import { HuffmanTree } from './huffmanTree.js'

/*
 * bzip2: "BZh" and the level, then blocks of at most level * 100,000 bytes, each begun by pi and with a checksum; at last the root of pi
 * and the checksum of all blocks. A block is run lengths of a Burrows-Wheeler transform, moved to front and written in Huffman codes.
 */
const BLOCK = 0x314159265359
const END = 0x177245385090
const LEVEL_BYTES = 100_000
/** Symbols that are read by the same tree, one after the other. */
const GROUP = 50
/** Symbols that stand for a run: digits of its length. */
const RUN_B = 1
/** Equal bytes after which another byte tells how many more there are. */
const RUN = 4

/**
 * Decompresses a bzip2 stream.
 * @param maxSize bytes that the result may have
 * @throws RangeError with the code ERR_BUFFER_TOO_LARGE, as Node's zlib does; Error for what is broken, or written by bzip2 before 0.9.5
 */
export function bunzip(content: Buffer, maxSize: number): Buffer {
  const bits = new Bits(content)
  const level = bits.read(24) === 0x425a68 ? bits.read(8) - 0x30 : 0
  if (level < 1 || level > 9) throw new Error('it does not begin as bzip2 data do')
  const transformed = new Uint32Array(level * LEVEL_BYTES)
  const body = new Body(maxSize, content.length)
  let combined = 0
  for (;;) {
    const mark = bits.read(24) * 2 ** 24 + bits.read(24)
    const checksum = bits.readWord()
    if (mark === END) {
      if (checksum !== combined) throw new Error('the checksum is wrong')
      return body.bytes
    }
    if (mark !== BLOCK) throw new Error('there is no block where one should be')
    body.crc = new Crc()
    readBlock(bits, transformed, body)
    if (checksum !== body.crc.value) throw new Error('the checksum of a block is wrong')
    combined = (((combined << 1) | (combined >>> 31)) ^ checksum) >>> 0
  }
}

function readBlock(bits: Bits, transformed: Uint32Array, body: Body): void {
  if (bits.read(1) === 1) throw new Error('a block is randomised, as no bzip2 has done since 0.9.5')
  const first = bits.read(24)
  const bytes = readBytes(bits)
  const trees = readTrees(bits, bytes.length + 2)
  const size = readSymbols(bits, trees, bytes, transformed)
  if (first >= size) throw new Error('a block begins behind its end')
  restore(transformed, size, first, body)
}

/** The bytes that occur in the block. */
function readBytes(bits: Bits): number[] {
  const rows = bits.read(16)
  const bytes: number[] = []
  for (let row = 0; row < 16; row++) {
    if (((rows >>> (15 - row)) & 1) === 0) continue
    const columns = bits.read(16)
    for (let column = 0; column < 16; column++) if ((columns >>> (15 - column)) & 1) bytes.push(row * 16 + column)
  }
  if (bytes.length === 0) throw new Error('a block is empty')
  return bytes
}

/** The tree of each group of symbols. */
function readTrees(bits: Bits, symbols: number): HuffmanTree[] {
  const count = bits.read(3)
  const groups = bits.read(15)
  if (count < 2 || count > 6 || groups === 0) throw new Error('a block has a wrong number of codes')
  const order = Array.from({ length: count }, (_, index) => index)
  const chosen = Array.from({ length: groups }, () => {
    let at = 0
    while (bits.read(1) === 1) if (++at >= count) throw new Error('a block names a code that it does not have')
    return toFront(order, at)
  })
  const trees = order.map(() => new HuffmanTree(readLengths(bits, symbols)))
  return chosen.map((index) => trees[index] as HuffmanTree)
}

function readLengths(bits: Bits, symbols: number): number[] {
  let length = bits.read(5)
  return Array.from({ length: symbols }, () => {
    for (;;) {
      if (length < 1 || length > HuffmanTree.LONGEST) throw new Error('a code is too long')
      if (bits.read(1) === 0) return length
      length += bits.read(1) === 0 ? 1 : -1
    }
  })
}

/** @returns how many bytes the block has */
function readSymbols(bits: Bits, trees: HuffmanTree[], bytes: number[], to: Uint32Array): number {
  const end = bytes.length + 1
  const order = [...bytes]
  let size = 0
  let run = 0
  let digit = 1
  for (const tree of trees) {
    for (let index = 0; index < GROUP; index++) {
      const symbol = tree.read(bits)
      if (symbol <= RUN_B) {
        run += digit << symbol
        digit <<= 1
        if (run > to.length) throw new Error('a run is longer than its block')
        continue
      }
      if (size + run + (symbol === end ? 0 : 1) > to.length) throw new Error('a block is too long')
      to.fill(order[0] as number, size, size + run)
      size += run
      if (symbol === end) return size
      run = 0
      digit = 1
      to[size++] = toFront(order, symbol - 1)
    }
  }
  throw new Error('a block has no end')
}

/** Undoes the transform: each byte gets the place of the one that follows it. */
function restore(block: Uint32Array, size: number, first: number, body: Body): void {
  const places = new Uint32Array(257)
  for (let index = 0; index < size; index++) (places[(block[index] as number) + 1] as number)++
  for (let byte = 1; byte < 257; byte++) places[byte] = (places[byte] as number) + (places[byte - 1] as number)
  for (let index = 0; index < size; index++) {
    const byte = (block[index] as number) & 0xff
    const place = places[byte] as number
    places[byte] = place + 1
    block[place] = (block[place] as number) | (index << 8)
  }
  let next = (block[first] as number) >>> 8
  let last = -1
  let equal = 0
  for (let index = 0; index < size; index++) {
    const entry = block[next] as number
    const byte = entry & 0xff
    next = entry >>> 8
    if (equal === RUN) {
      body.add(last, byte)
      equal = 0
      last = -1
      continue
    }
    equal = byte === last ? equal + 1 : 1
    last = byte
    body.add(byte, 1)
  }
}

/** Takes the item at a place to the front, and returns it. */
function toFront(order: number[], at: number): number {
  const item = order[at]
  if (item === undefined) throw new Error('a symbol stands for nothing')
  for (let place = at; place > 0; place--) order[place] = order[place - 1] as number
  order[0] = item
  return item
}

/** Bits of a text, the highest of each byte first. */
class Bits {
  private at = 0
  /** Read from the text and not yet given: the lowest `left` bits. */
  private kept = 0
  private left = 0

  constructor(private readonly content: Buffer) {}

  /** @param count at most 24 */
  read(count: number): number {
    while (this.left < count) {
      const byte = this.content[this.at++]
      if (byte === undefined) throw new Error('unexpected end of bzip2 data')
      this.kept = (this.kept << 8) | byte
      this.left += 8
    }
    this.left -= count
    return (this.kept >>> this.left) & ((1 << count) - 1)
  }

  /** An unsigned number of 32 bits. */
  readWord(): number {
    return this.read(16) * 0x10000 + this.read(16)
  }
}

/** What has been read so far. */
class Body {
  crc = new Crc()
  private size = 0
  private buffer: Buffer

  constructor(
    private readonly maxSize: number,
    length: number,
  ) {
    this.buffer = Buffer.allocUnsafe(Math.min(maxSize, length * 8))
  }

  get bytes(): Buffer {
    return this.buffer.subarray(0, this.size)
  }

  add(byte: number, times: number): void {
    const size = this.size + times
    if (size > this.maxSize)
      throw Object.assign(new RangeError('the result is too large'), { code: 'ERR_BUFFER_TOO_LARGE' })
    if (size > this.buffer.length) {
      this.buffer = Buffer.concat([this.buffer], Math.min(this.maxSize, Math.max(1024, size * 2)))
    }
    if (times === 1) this.buffer[this.size] = byte
    else this.buffer.fill(byte, this.size, size)
    this.size = size
    this.crc.add(byte, times)
  }
}
