import type { AmqpProperties } from '../amqp.js'
import { BadMessage } from '../badMessage.js'
import type { HeaderLimits } from '../headerLimits.js'
import type { BodyLimits } from './bodyLimits.js'
import { decompress } from './compression.js'
import { serializerFor, serializerNames } from './serializers.js'

const PICKLE = 'application/x-python-serialize'
/** Content types that Python reads whatever `accept_content` says: bytes and text, which are not decoded. */
const TRUSTED: ReadonlySet<string> = new Set(['application/data', 'application/text'])

export interface ContentLimits extends HeaderLimits, BodyLimits {
  /** Names or content types, as in Celery's `accept_content`. */
  readonly accept: readonly string[]
  /** Bytes, both as received and after decompression. */
  readonly maxSize: number
}

/** A value's bytes, and the two properties that say how to read them. */
export interface Content {
  readonly contentType: string
  readonly contentEncoding: string
  readonly content: Buffer
}

/**
 * Decodes the content of a message, decompressed as its header `compression` says. Mirrors kombu's `loads`, without
 * pickle.
 * @throws BadMessage, and nothing else, if the content is refused, too large, nested too deeply, or not what it claims
 * to be
 */
export function loads(content: Buffer, properties: AmqpProperties, limits: ContentLimits): unknown {
  if (content.length > limits.maxSize) {
    throw new BadMessage(
      'too-large',
      `the body has ${content.length} bytes, more than the ${limits.maxSize} of worker_max_message_size`,
    )
  }
  const type = properties.contentType
  if (!type) throw new BadMessage('missing-content-type', 'the message has no content_type')
  if (type === PICKLE || !isAccepted(type, limits.accept)) {
    throw new BadMessage(
      'refused-content',
      `Refusing to deserialize untrusted content of type ${type === PICKLE ? 'pickle ' : ''}(${type}): ` +
        `${type === PICKLE ? "set task_serializer = 'json' at the producer" : 'accept_content does not list it'}`,
    )
  }
  const serializer = serializerFor(type === 'application/text' ? 'text/plain' : type)
  if (!serializer) throw new BadMessage('refused-content', `content of type ${type} can't be read here`)
  const body = decompress(content, properties.headers?.compression, limits.maxSize)
  try {
    return serializer.read(body, limits)
  } catch (thrown) {
    if (thrown instanceof BadMessage) throw thrown
    throw new BadMessage('undecodable', String(thrown), thrown)
  }
}

/**
 * Encodes a value. Mirrors kombu's `dumps`.
 * @param serializer a name as in Celery's `task_serializer`, or a content type
 * @throws TypeError for an unknown serializer, or one that names the place of a value it can't express
 */
export function dumps(value: unknown, serializer: string): Content {
  const found = serializerFor(serializer)
  if (!found) {
    throw new TypeError(
      `there is no serializer ${JSON.stringify(serializer)}; expected one of ${serializerNames().join(', ')}`,
    )
  }
  return { contentType: found.contentType, contentEncoding: found.contentEncoding, content: found.write(value) }
}

function isAccepted(type: string, accept: readonly string[]): boolean {
  return TRUSTED.has(type) || accept.some((name) => name === type || serializerFor(name)?.contentType === type)
}
