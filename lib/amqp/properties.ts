import { coerceError } from '../errors.js'
import type { AmqpProperties } from '../protocol/amqp.js'
import { BadMessage } from '../protocol/badMessage.js'
import { FieldReader } from './fieldTable.js'

/*
 * Basic properties:  uint16 flags, the highest bit for the first property; then those whose bits are set, in this order:
 *   content_type, content_encoding, headers, delivery_mode (uint8), priority (uint8), correlation_id, reply_to, expiration, message_id,
 *   timestamp (uint64), type, user_id, app_id, cluster_id; all others are short texts
 */
/** The flags of properties that Celery's clients send seldom or never: most messages can do without a place for them. */
const REST = 0x01f8

/**
 * The properties of a message from the bytes of its header frame. Properties that can't be read are reported as
 * `unreadable`; it never throws.
 */
export function readProperties(bytes: Buffer): AmqpProperties {
  try {
    return read(bytes)
  } catch (thrown) {
    const unreadable =
      thrown instanceof BadMessage ? thrown : new BadMessage('invalid-header', coerceError(thrown).message, thrown)
    return { unreadable }
  }
}

function read(bytes: Buffer): AmqpProperties {
  const reader = new FieldReader(bytes)
  const end = bytes.length
  const flags = (reader.byte(end) << 8) | reader.byte(end)
  const text = (flag: number): string | undefined => (flags & flag ? reader.shortText(end) : undefined)
  // In the order of the wire: each expression reads what comes next.
  const usual = {
    contentType: text(0x8000),
    contentEncoding: text(0x4000),
    headers: flags & 0x2000 ? reader.table(end) : undefined,
    deliveryMode: flags & 0x1000 ? reader.byte(end) : undefined,
    priority: flags & 0x0800 ? reader.byte(end) : undefined,
    correlationId: text(0x0400),
    replyTo: text(0x0200),
  }
  if ((flags & REST) === 0) return usual
  return {
    ...usual,
    expiration: text(0x0100),
    messageId: text(0x0080),
    timestamp: flags & 0x0040 ? timeOf(reader.uint64(end)) : undefined,
    type: text(0x0020),
    userId: text(0x0010),
    appId: text(0x0008),
  }
}

/** Undefined if the value is not a count of seconds since 1970 that a clock could show. */
function timeOf(seconds: number | bigint): number | undefined {
  return typeof seconds === 'number' ? seconds : undefined
}
