import type { AmqpProperties } from '../ports.js'
import { BadMessage } from './badMessage.js'

/** The names Celery has for content types in `accept_content`. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  json: 'application/json',
  yaml: 'application/x-yaml',
  msgpack: 'application/x-msgpack',
  pickle: 'application/x-python-serialize',
}
const PICKLE = 'application/x-python-serialize'
const UTF8 = new TextDecoder('utf-8', { fatal: true })

export interface ContentLimits {
  /** Names or content types, as in Celery's `accept_content`. */
  readonly accept: readonly string[]
  /** Bytes. */
  readonly maxSize: number
  /** Levels of arrays and objects. */
  readonly maxNesting: number
}

/**
 * The value that a message's bytes stand for. Mirrors kombu's `loads`, without pickle.
 * @throws BadMessage when the content is refused, too large, nested too deep, or no JSON
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
  const accepted = limits.accept.some((name) => (CONTENT_TYPES[name] ?? name) === type)
  if (!accepted || type === PICKLE) {
    throw new BadMessage(
      'refused-content',
      `Refusing to deserialize untrusted content of type ${type === PICKLE ? 'pickle ' : ''}(${type}): ` +
        `${type === PICKLE ? "set task_serializer = 'json' at the producer" : 'accept_content does not list it'}`,
    )
  }
  if (type !== CONTENT_TYPES.json) throw new BadMessage('refused-content', `content of type ${type} can't be read here`)
  const compression = properties.headers?.compression
  if (compression !== undefined && compression !== null) {
    throw new BadMessage('undecodable', `compression ${JSON.stringify(compression)} can't be read here`)
  }
  // A text nested n deep has at least n bytes, so that the usual small message is never scanned.
  if (content.length > limits.maxNesting && nestingOf(content) > limits.maxNesting) {
    throw new BadMessage(
      'too-deep',
      `the body is nested deeper than the ${limits.maxNesting} of worker_max_message_nesting`,
    )
  }
  try {
    return JSON.parse(UTF8.decode(content))
  } catch (thrown) {
    throw new BadMessage(
      'undecodable',
      thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown),
      thrown,
    )
  }
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
