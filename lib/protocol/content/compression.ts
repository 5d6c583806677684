import * as zlib from 'node:zlib'
import { lazily } from '../../lazily.js'
import { BadMessage } from '../badMessage.js'
import { repr } from '../repr.js'

const bzip = lazily<typeof import('seek-bzip').default>('seek-bzip')

interface Codec {
  /** Value of the header `compression`. */
  readonly type: string
  readonly aliases: readonly string[]
  /** Null if it can't be read here; `remedy` says what to do. */
  readonly inflate: ((content: Buffer, maxSize: number) => Buffer) | null
  /** Null if it can't be written here. */
  readonly deflate: ((content: Buffer) => Buffer) | null
  readonly remedy?: string
}

/**
 * Room in the buffers of bzip2 blocks for each byte of a body. Every block but the last is full, and holds at least
 * four bytes of the body in five, which a run of four equal bytes takes; the rest is to spare.
 */
const ROOM_PER_BYTE = 1.3

/** Node has zstd since 22.15: the types are those of the oldest Node supported. */
const { zstdCompressSync = null, zstdDecompressSync = null } = zlib as {
  zstdCompressSync?: (content: Buffer) => Buffer
  zstdDecompressSync?: (content: Buffer, options: { maxOutputLength: number }) => Buffer
}

const CODECS: readonly Codec[] = [
  {
    type: 'application/x-gzip',
    aliases: ['gzip', 'zlib'],
    // A zlib stream in spite of its name. Real gzip, which other clients may send under that name, is detected and read
    // too.
    inflate: (content, maxOutputLength) => zlib.unzipSync(content, { maxOutputLength }),
    deflate: (content) => zlib.deflateSync(content),
  },
  { type: 'application/x-bz2', aliases: ['bzip2', 'bzip'], inflate: bunzip, deflate: null },
  {
    type: 'application/x-brotli',
    aliases: ['brotli'],
    inflate: (content, maxOutputLength) => zlib.brotliDecompressSync(content, { maxOutputLength }),
    deflate: (content) => zlib.brotliCompressSync(content),
  },
  {
    type: 'application/zstd',
    aliases: ['zstd', 'zstandard'],
    inflate: zstdDecompressSync && ((content, maxOutputLength) => zstdDecompressSync(content, { maxOutputLength })),
    deflate: zstdCompressSync && ((content) => zstdCompressSync(content)),
    remedy: "run the worker on Node 22.15 or later, or set task_compression = 'gzip' at the producer",
  },
  {
    type: 'application/x-lzma',
    aliases: ['lzma', 'xz'],
    inflate: null,
    deflate: null,
    remedy: "set task_compression = 'gzip' at the producer",
  },
]
const BY_NAME: ReadonlyMap<unknown, Codec> = new Map(
  CODECS.flatMap((codec) => [codec.type, ...codec.aliases].map((name) => [name, codec] as const)),
)

/**
 * Decompresses a message's content; returns it unchanged if the header `compression` names no compression. Never holds
 * more than `maxSize` bytes, however large the result would be.
 * @throws BadMessage if the compression is unknown or can't be read here, the content is broken, or the body is too
 * large
 */
export function decompress(content: Buffer, compression: unknown, maxSize: number): Buffer {
  if (compression === undefined || compression === null || compression === '') return content
  const codec = BY_NAME.get(compression)
  if (!codec) throw new BadMessage('undecodable', `the compression ${repr(compression, 100)} is unknown`)
  if (!codec.inflate) {
    throw new BadMessage(
      'unsupported-compression',
      `content compressed as ${codec.type} can't be read here: ${codec.remedy}`,
    )
  }
  try {
    return codec.inflate(content, maxSize)
  } catch (thrown) {
    if (thrown instanceof BadMessage) throw thrown
    if ((thrown as NodeJS.ErrnoException | null)?.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxSize)
    throw new BadMessage('undecodable', `the content is not valid ${codec.type}: ${String(thrown)}`, thrown)
  }
}

/**
 * @param name one of Celery's names for `task_compression`, or the content type
 * @returns the compressed content, and the value for the header `compression`
 * @throws TypeError for a compression that can't be written here
 */
export function compress(name: string, content: Buffer): { type: string; content: Buffer } {
  const codec = BY_NAME.get(name)
  if (!codec?.deflate) {
    const writable = CODECS.filter(({ deflate }) => deflate).flatMap(({ aliases }) => aliases)
    throw new TypeError(
      `the compression ${JSON.stringify(name)} can't be written here; expected one of ${writable.join(', ')}`,
    )
  }
  return { type: codec.type, content: codec.deflate(content) }
}

/** Returns whether `compress` can write the compression named in the header. */
export function canCompress(compression: unknown): compression is string {
  return typeof BY_NAME.get(compression)?.deflate === 'function'
}

/**
 * Byte by byte on both sides, since the library checks neither the end of its input nor the size of its output. The
 * blocks are limited, too: each takes a buffer of up to 3.6 MB, and may be 22 bytes long and contain a single one.
 */
function bunzip(content: Buffer, maxSize: number): Buffer {
  let read = 0
  let size = 0
  let body = Buffer.allocUnsafe(Math.min(maxSize, content.length * 8))
  const readByte = (): number => {
    const byte = content[read++]
    if (byte === undefined) throw new Error('unexpected end of bzip2 data')
    return byte
  }
  const stream = new (bzip())(
    {
      readByte,
      read(target, offset, length) {
        for (let at = 0; at < length; at++) target[offset + at] = readByte()
        return length
      },
    },
    {
      writeByte(byte) {
        if (size === maxSize) throw tooLarge(maxSize)
        if (size === body.length) body = Buffer.concat([body], Math.min(maxSize, Math.max(1024, size * 2)))
        body[size++] = byte
      },
    },
  )
  let room = maxSize * ROOM_PER_BYTE + stream.dbufSize
  while (stream._init_block()) {
    room -= stream.dbufSize
    if (room < 0) {
      throw new BadMessage(
        'too-large',
        `the content has more bzip2 blocks than the ${maxSize} bytes of worker_max_message_size need`,
      )
    }
    stream._read_bunzip()
  }
  if (stream.reader.read(32) >>> 0 !== stream.streamCRC) throw new Error('the checksum of the bzip2 data is wrong')
  return body.subarray(0, size)
}

function tooLarge(maxSize: number): BadMessage {
  return new BadMessage(
    'too-large',
    `the body has more than the ${maxSize} bytes of worker_max_message_size once it is decompressed`,
  )
}
