import * as zlib from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { BadMessage } from '../../../lib/protocol/badMessage.js'
import { canCompress, compress, decompress } from '../../../lib/protocol/content/compression.js'

const TEXT = Buffer.from('the same again, '.repeat(100))
/** What Python's bz2 makes of TEXT, and of five million times the letter x. */
const BZ2 = Buffer.from(
  'QlpoOTFBWSZTWQIWuOQAAx+RgEAEIuMMACAAUIBppoClUaaMTAi7ItEWCLJFsi2RaItEXCLoRcIvhF+LuSKcKEgBC1xyAA==',
  'base64',
)
const BZ2_BOMB = Buffer.from('QlpoOTFBWSZTWbnolkUAJkuAgoBACAAACCAAMMwFKaapEUbAoijxdyRThQkLnolkUA==', 'base64')
/** What it makes, in blocks of 100 kB, of fifty thousand times `aaaabbbb`. */
const RUNS = Buffer.from(
  'QlpoMTFBWSZTWc6sCBUAdSxBAEAAMAAgAFBmApTTKgqMVQVGqgqMkiSuVBUeYoKyTKayuWFNDAFfgoIAgABgAEAAoMwJqmmCqFaoVQrQqhWRKSOCqFeYoKyTKaznVgQKgDqWIIAgABgAEAAoMwFKaZUFRiqCo1UFRkkSVyoKjzFBWSZTWVywpoYAr8FBAEAAMAAgAFBmBNU0wVQrVCqFaFUKyJSRwVQrzFBWSZTWc6sCBUAdSxBAEAAMAAgAFBmApTTKgqMVQVGqgqMkiSuVBUeYoKyTKaziGcr1gAAQ4IAgABgAEAAQUpoMxhitWFw8XckU4UJBAQjWrA==',
  'base64',
)
const HAS_ZSTD = 'zstdCompressSync' in zlib

/** A bzip2 stream of blocks of 100 kB that have one letter `a` each, and take 22 bytes. */
function tinyBlocks(count: number): Buffer {
  const crc = 0x19939b6b
  let bits = ''
  let sum = 0
  const put = (length: number, value: number): void => {
    bits += value.toString(2).padStart(length, '0')
  }
  put(32, 0x425a6831)
  for (let n = 0; n < count; n++) {
    put(48, 0x314159265359)
    put(32, crc)
    sum = (crc ^ ((sum << 1) | (sum >>> 31))) >>> 0
    // Not randomised, begins at the first byte.
    put(25, 0)
    // The only letter: row 6, column 1.
    put(16, 1 << 9)
    put(16, 1 << 14)
    // Two tables, of which one selector takes the first.
    put(19, (2 << 16) | (1 << 1))
    // In each the code 0 repeats once, 10 twice, and 11 ends the block.
    for (let table = 0; table < 2; table++) put(10, 0b0000101000)
    put(3, 0b011)
  }
  put(48, 0x177245385090)
  put(32, sum)
  return Buffer.from(bits.match(/.{1,8}/g)?.map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2)) ?? [])
}

function reasonOf(content: Buffer, compression: unknown, maxSize = 1_000_000): string {
  try {
    decompress(content, compression, maxSize)
  } catch (thrown) {
    if (thrown instanceof BadMessage) return thrown.reason
    throw thrown
  }
  return 'none'
}

describe('decompress', () => {
  it.each([undefined, null, ''])('leaves content alone for %p', (none) => {
    expect(decompress(TEXT, none, 1)).toBe(TEXT)
  })

  it.each([
    ['application/x-gzip', zlib.deflateSync(TEXT)],
    ['gzip', zlib.deflateSync(TEXT)],
    ['zlib', zlib.deflateSync(TEXT)],
    ['application/x-gzip', zlib.gzipSync(TEXT)],
    ['application/x-brotli', zlib.brotliCompressSync(TEXT)],
    ['brotli', zlib.brotliCompressSync(TEXT)],
    ['application/x-bz2', BZ2],
    ['bzip2', BZ2],
    ['bzip', BZ2],
  ])('reads %s', (name, content) => {
    expect(decompress(content, name, TEXT.length)).toEqual(TEXT)
  })

  it.each([
    ['gzip', zlib.deflateSync(Buffer.alloc(5_000_000))],
    ['gzip', zlib.gzipSync(Buffer.alloc(5_000_000))],
    ['brotli', zlib.brotliCompressSync(Buffer.alloc(5_000_000))],
    ['bzip2', BZ2_BOMB],
  ])('stops at the largest size: %s', (name, content) => {
    expect(content.length).toBeLessThan(6000)
    expect(reasonOf(content, name, 5_000_000)).toBe('none')
    expect(reasonOf(content, name, 4_999_999)).toBe('too-large')
    expect(reasonOf(content, name, 1)).toBe('too-large')
  })

  it.each([
    ['gzip', zlib.deflateSync(TEXT)],
    ['gzip', zlib.gzipSync(TEXT)],
    ['brotli', zlib.brotliCompressSync(TEXT)],
    ['bzip2', BZ2],
  ])('takes broken %s for undecodable, wherever it is cut', (name, content) => {
    for (let length = 0; length < content.length; length++)
      expect(reasonOf(content.subarray(0, length), name)).toBe('undecodable')
  })

  it('takes bzip2 with a wrong checksum for undecodable', () => {
    const broken = Buffer.from(BZ2)
    broken[11] = (broken[11] ?? 0) ^ 4
    expect(reasonOf(broken, 'bzip2')).toBe('undecodable')
  })

  it('refuses more bzip2 blocks than the largest body needs, however little they contain', () => {
    expect(decompress(tinyBlocks(1), 'bzip2', 1)).toEqual(Buffer.from('a'))
    expect(decompress(tinyBlocks(7), 'bzip2', 700_000)).toEqual(Buffer.from('aaaaaaa'))
    expect(reasonOf(tinyBlocks(12), 'bzip2', 700_000)).toBe('too-large')
    expect(() => decompress(tinyBlocks(12), 'bzip2', 700_000)).toThrow('more bzip2 blocks than the 700000 bytes')
  })

  it('reads bzip2 blocks of the largest body although runs of four bytes take five in them', () => {
    expect(reasonOf(RUNS, 'bzip2', 400_000)).toBe('none')
    expect(reasonOf(RUNS, 'bzip2', 399_999)).toBe('too-large')
  })

  it('takes bzip2 with a wrong checksum of the whole for undecodable', () => {
    const broken = Buffer.from(BZ2)
    const at = broken.length - 2
    broken[at] = (broken[at] ?? 0) ^ 4
    expect(reasonOf(broken, 'bzip2')).toBe('undecodable')
  })

  it.each(['application/x-nothing', 'GZIP', '__proto__', 7, {}, []])(
    'takes the unknown compression %p for undecodable',
    (name) => {
      expect(reasonOf(TEXT, name)).toBe('undecodable')
    },
  )

  it.each(['application/x-lzma', 'lzma', 'xz'])('says what to do about %s', (name) => {
    expect(reasonOf(TEXT, name)).toBe('unsupported-compression')
    expect(() => decompress(TEXT, name, 1)).toThrow("set task_compression = 'gzip' at the producer")
    expect(new BadMessage('unsupported-compression', '').acknowledged).toBe(false)
  })

  it('reads zstd where this Node can, and says what to do where it cannot', () => {
    if (HAS_ZSTD) expect(decompress(compress('zstd', TEXT).content, 'application/zstd', TEXT.length)).toEqual(TEXT)
    else expect(() => decompress(TEXT, 'zstd', 1)).toThrow(/run the worker on Node 22\.15 or later/)
    expect(canCompress('zstd')).toBe(HAS_ZSTD)
  })
})

describe('compress', () => {
  it.each([
    ['gzip', 'application/x-gzip'],
    ['zlib', 'application/x-gzip'],
    ['brotli', 'application/x-brotli'],
  ])('%s is written and read back', (name, type) => {
    const compressed = compress(name, TEXT)
    expect(compressed.type).toBe(type)
    expect(compressed.content.length).toBeLessThan(TEXT.length)
    expect(decompress(compressed.content, type, TEXT.length)).toEqual(TEXT)
  })

  it('writes a zlib stream for gzip, as Python does', () => {
    expect(compress('gzip', TEXT).content.subarray(0, 2).toString('hex')).toBe('789c')
  })

  it.each(['bzip2', 'lzma', 'nothing', ''])('refuses %j', (name) => {
    expect(() => compress(name, TEXT)).toThrow(TypeError)
    expect(canCompress(name)).toBe(false)
  })
})
