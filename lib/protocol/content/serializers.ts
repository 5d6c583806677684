import type { BodyLimits } from './bodyLimits.js'
import { readJson, writeJson } from './json.js'
import { checkJson } from './jsonScan.js'
import { unwrap, WRAPPER_MARK, wrap } from './kombuTypes.js'
import { readMsgpack, writeMsgpack } from './msgpack.js'
import { readYaml, writeYaml } from './yaml.js'

/** One way to turn values into bytes and back, under the names that kombu has for it. */
export interface Serializer {
  readonly name: string
  readonly contentType: string
  readonly contentEncoding: string
  /** @throws BadMessage when it goes beyond the limits; some other Error when the content is none of this kind */
  read(content: Buffer, limits: BodyLimits): unknown
  /** @throws TypeError that names the place of what it has no form for */
  write(value: unknown): Buffer
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

export const SERIALIZERS: readonly Serializer[] = [
  {
    name: 'json',
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    read(content, limits) {
      checkJson(content, limits)
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
    read: (content, limits) => readYaml(UTF8.decode(content), limits),
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

/** The serializers that may be named in `task_serializer` and the like: not `text/plain`, which is what Python sends for a str. */
export const SERIALIZER_NAMES: readonly string[] = SERIALIZERS.map(({ name }) => name).filter(
  (name) => !name.includes('/'),
)

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
