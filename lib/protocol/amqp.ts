import type { BadMessage } from './badMessage.js'

/**
 * AMQP field-table values as they arrive: strings, numbers (BigInt beyond 2^53), booleans, null, Buffers, nested tables and arrays, and
 * `{ '!': type, value }` for timestamps and decimals.
 */
export type AmqpTable = Readonly<Record<string, unknown>>

/** AMQP basic properties, in amqplib's spelling. Absent ones are undefined. */
export interface AmqpProperties {
  readonly contentType?: string | undefined
  readonly contentEncoding?: string | undefined
  readonly headers?: AmqpTable | undefined
  readonly deliveryMode?: number | undefined
  readonly priority?: number | undefined
  readonly correlationId?: string | undefined
  readonly replyTo?: string | undefined
  readonly expiration?: string | undefined
  readonly messageId?: string | undefined
  readonly timestamp?: number | undefined
  readonly type?: string | undefined
  readonly userId?: string | undefined
  readonly appId?: string | undefined
  /** Why the bytes of a message that was received can't be read as properties; then it has none. */
  readonly unreadable?: BadMessage | undefined
}

/** A message on its way to the broker. */
export interface OutgoingMessage {
  readonly exchange: string
  readonly routingKey: string
  readonly properties: AmqpProperties
  readonly content: Buffer
  /** Fail when no queue takes the message; the broker would drop it and confirm all the same. */
  readonly mandatory?: boolean
}

/** A message as the broker handed it out. */
export interface IncomingMessage {
  /** The queue that it was consumed from. */
  readonly queue: string
  readonly exchange: string
  readonly routingKey: string
  readonly properties: AmqpProperties
  readonly content: Buffer
}
