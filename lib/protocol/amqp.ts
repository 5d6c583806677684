import type { BadMessage } from './badMessage.js'

/**
 * AMQP field-table values as they arrive: strings, numbers (BigInt beyond 2^53), booleans, null, Buffers, nested tables and arrays, and
 * `{ '!': type, value }` for timestamps and decimals.
 */
export type AmqpTable = Readonly<Record<string, unknown>>

/** AMQP basic properties, in amqplib's spelling. Absent ones are undefined. */
export interface AmqpProperties {
  /** Of the content, such as `application/json`. */
  readonly contentType?: string | undefined
  /** `utf-8` for text, `binary` for bytes. */
  readonly contentEncoding?: string | undefined
  /** The headers. */
  readonly headers?: AmqpTable | undefined
  /** 2 for a message that outlives a restart of the broker, 1 for one that does not. */
  readonly deliveryMode?: number | undefined
  /** From 0 to 255. */
  readonly priority?: number | undefined
  /** What a reply is recognised by. */
  readonly correlationId?: string | undefined
  /** The queue that a reply goes to. */
  readonly replyTo?: string | undefined
  /** Milliseconds that the message may wait in its queue, in decimal digits. */
  readonly expiration?: string | undefined
  /** An id that the sender has given. */
  readonly messageId?: string | undefined
  /** When it was sent, in seconds since the epoch. */
  readonly timestamp?: number | undefined
  /** A kind that the sender has given. */
  readonly type?: string | undefined
  /** The user that has sent it. */
  readonly userId?: string | undefined
  /** The program that has sent it. */
  readonly appId?: string | undefined
  /** Why the bytes of a message that was received can't be read as properties; then it has none. */
  readonly unreadable?: BadMessage | undefined
}

/** A message on its way to the broker. */
export interface OutgoingMessage {
  /** Empty for the default exchange, which routes by the names of queues. */
  readonly exchange: string
  /** What the exchange routes by. */
  readonly routingKey: string
  /** Properties and headers. */
  readonly properties: AmqpProperties
  /** The bytes. */
  readonly content: Buffer
  /** Fail when no queue takes the message; the broker would drop it and confirm all the same. */
  readonly mandatory?: boolean
}

/** A message as the broker handed it out. */
export interface IncomingMessage {
  /** The queue that it was consumed from. */
  readonly queue: string
  /** The exchange that it was sent to. */
  readonly exchange: string
  /** What it was routed by. */
  readonly routingKey: string
  /** Properties and headers. */
  readonly properties: AmqpProperties
  /** The bytes. */
  readonly content: Buffer
}
