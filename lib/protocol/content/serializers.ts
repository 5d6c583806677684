import { missingMethods, Register } from '../../registers/register.js'
import type { BodyLimits } from './bodyLimits.js'
import { readJson, writeJson } from './json.js'
import { checkJson, checkNesting, mayExceed } from './jsonScan.js'
import { unwrap, WRAPPER_MARK, wrap } from './kombuTypes.js'
import { readMsgpack, writeMsgpack } from './msgpack.js'
import { readYaml, writeYaml } from './yaml.js'

/** Converts values to bytes and back. Mirrors what kombu's `register` takes. */
export interface Serializer {
  /** The name in settings, such as `accept_content`. */
  readonly name: string
  /** Content type of messages in this format, such as `application/json`. */
  readonly contentType: string
  /** `utf-8` for text, `binary` for bytes. */
  readonly contentEncoding: string
  /**
   * Decodes the bytes of a message, which anybody may have sent: the limits must be checked before doing the work.
   * @throws Error if the content is not in this format, or exceeds the limits
   */
  read(content: Buffer, limits: BodyLimits): unknown
  /**
   * Encodes a value.
   * @throws TypeError that names the place of a value that the format can't express
   */
  write(value: unknown): Buffer
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

const OWN: readonly Serializer[] = [
  {
    name: 'json',
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    read(content, limits) {
      const isLarge = mayExceed(content, limits)
      if (isLarge) checkJson(content, limits)
      const text = UTF8.decode(content)
      const value = readJson(text, () => checkJson(content, limits))
      if (!isLarge) checkNesting(value, limits)
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

const PICKLE: ReadonlySet<string> = new Set(['pickle', 'application/x-python-serialize'])
/** By name and by content type. */
const SERIALIZERS = new Register<Serializer>('registerSerializer', 'a serializer')
for (const serializer of OWN) add(serializer)

/**
 * Registers a serializer for messages. Call it where the app is defined, so that the children of `-P prefork` and
 * `-P threads` have it too. Messages in its format are accepted once `accept_content` names it, and their retries are
 * written in the same format. Mirrors kombu's `register`.
 * @throws TypeError for a name or content type that is taken, for pickle, and for an object that is not a serializer
 */
export function registerSerializer(serializer: Serializer): void {
  const { contentEncoding, contentType, name } = serializer ?? {}
  if (typeof name !== 'string' || name === '') throw SERIALIZERS.fault('a serializer needs a name, such as "cbor"')
  if (typeof contentType !== 'string' || !contentType.includes('/')) {
    throw SERIALIZERS.fault(`${name} needs a contentType, such as "application/cbor"`)
  }
  if (typeof contentEncoding !== 'string' || contentEncoding === '') {
    throw SERIALIZERS.fault(`${name} needs a contentEncoding: "utf-8" for text, or "binary"`)
  }
  if (PICKLE.has(name) || PICKLE.has(contentType)) {
    throw SERIALIZERS.fault('pickle is not accepted: anyone who can send a message could run any code')
  }
  const missing = missingMethods(serializer, ['read', 'write'])
  if (missing !== '') throw SERIALIZERS.fault(`${name} has no ${missing}`)
  add(serializer)
}

function add(serializer: Serializer): void {
  const { contentType, name } = serializer
  if (SERIALIZERS.get(contentType)) throw SERIALIZERS.fault(`there is a serializer for ${contentType} already`)
  SERIALIZERS.add(name, serializer)
  if (contentType !== name) SERIALIZERS.add(contentType, serializer)
}

/** Returns the names of serializers that settings may use: without `text/plain`, which Python sends for a str. */
export function serializerNames(): readonly string[] {
  return SERIALIZERS.names.filter((name) => !name.includes('/'))
}

/** @param name as in Celery's settings, or a content type; undefined for one that can't be used here (pickle) */
export function serializerFor(name: string): Serializer | undefined {
  return SERIALIZERS.get(name)
}
