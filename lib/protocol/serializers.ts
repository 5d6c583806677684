import { BadMessage } from './badMessage.js'
import { readJson, writeJson } from './json.js'
import { unwrap, WRAPPER_MARK, wrap } from './kombuTypes.js'
import { readMsgpack, writeMsgpack } from './msgpack.js'
import { readYaml, writeYaml } from './yaml.js'

/** One way to turn values into bytes and back, under the names that kombu has for it. */
export interface Serializer {
  readonly name: string
  readonly contentType: string
  readonly contentEncoding: string
  /** @throws BadMessage when nested deeper than `maxNesting`; some other Error when the content is none of this kind */
  read(content: Buffer, maxNesting: number): unknown
  /** @throws TypeError that names the place of what it has no form for */
  write(value: unknown): Buffer
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

export const SERIALIZERS: readonly Serializer[] = [
  {
    name: 'json',
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    read(content, maxNesting) {
      // A text nested n deep has at least n bytes, so that the usual small message is never scanned.
      if (content.length > maxNesting && nestingOf(content) > maxNesting) {
        throw new BadMessage(
          'too-deep',
          `the body is nested deeper than the ${maxNesting} of worker_max_message_nesting`,
        )
      }
      const text = UTF8.decode(content)
      const value = readJson(text)
      return text.includes(WRAPPER_MARK) ? unwrap(value) : value
    },
    write: (value) => Buffer.from(writeJson(wrap(value))),
  },
  {
    name: 'yaml',
    contentType: 'application/x-yaml',
    contentEncoding: 'utf-8',
    read: (content, maxNesting) => readYaml(UTF8.decode(content), maxNesting),
    write: (value) => Buffer.from(writeYaml(value)),
  },
  {
    name: 'msgpack',
    contentType: 'application/x-msgpack',
    contentEncoding: 'binary',
    read: readMsgpack,
    write: writeMsgpack,
  },
  {
    name: 'raw',
    contentType: 'application/data',
    contentEncoding: 'binary',
    read: (content) => content,
    write(value) {
      if (!Buffer.isBuffer(value)) throw new TypeError('the serializer raw takes a Buffer')
      return value
    },
  },
  {
    name: 'text/plain',
    contentType: 'text/plain',
    contentEncoding: 'utf-8',
    read: (content) => UTF8.decode(content),
    write(value) {
      if (typeof value !== 'string') throw new TypeError('the serializer text/plain takes a string')
      return Buffer.from(value)
    },
  },
]

const BY_NAME: ReadonlyMap<string, Serializer> = new Map(
  SERIALIZERS.flatMap((serializer) => [
    [serializer.name, serializer],
    [serializer.contentType, serializer],
  ]),
)

/** @param name as in Celery's settings, or a content type; undefined for one that can't be used here (pickle) */
export function serializerFor(name: string): Serializer | undefined {
  return BY_NAME.get(name)
}

/** How deep the brackets of a JSON text go, read byte by byte, without parsing: safe on any input. */
export function nestingOf(json: Uint8Array): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]
    if (inString) {
      if (byte === 0x5c) at++
      else if (byte === 0x22) inString = false
    } else if (byte === 0x22) inString = true
    else if (byte === 0x5b || byte === 0x7b) {
      depth++
      if (depth > deepest) deepest = depth
    } else if (byte === 0x5d || byte === 0x7d) depth--
  }
  return deepest
}
