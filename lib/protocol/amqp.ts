import type { BadMessage } from './badMessage.js'

/**
 * AMQP field-table values as they are received: strings, numbers (BigInt beyond 2^53), booleans, null, Buffers, nested
 * tables and arrays, and `{ '!': type, value }` for timestamps and decimals.
 */
export type AmqpTable = Readonly<Record<string, unknown>>

/** AMQP basic properties, in amqplib's spelling. Absent ones are undefined. */
export interface AmqpProperties {
  /** Content type, such as `application/json`. */
  readonly contentType?: string | undefined
  /** `utf-8` for text, `binary` for bytes. */
  readonly contentEncoding?: string | undefined
  /** The headers. */
  readonly headers?: AmqpTable | undefined
  /** 2 for a message that survives a restart of the broker, 1 for one that does not. */
  readonly deliveryMode?: number | undefined
  /** Priority, from 0 to 255. */
  readonly priority?: number | undefined
  /** Id that relates a reply to its request. */
  readonly correlationId?: string | undefined
  /** Queue for the reply. */
  readonly replyTo?: string | undefined
  /** Milliseconds that the message may wait in its queue, as decimal digits. */
  readonly expiration?: string | undefined
  /** Id given by the sender. */
  readonly messageId?: string | undefined
  /** Time of sending, in seconds since the epoch. */
  readonly timestamp?: number | undefined
  /** Message type given by the sender. */
  readonly type?: string | undefined
  /** User that sent the message. */
  readonly userId?: string | undefined
  /** Program that sent the message. */
  readonly appId?: string | undefined
  /** Why the bytes of a received message can't be read as properties; the other properties are then absent. */
  readonly unreadable?: BadMessage | undefined
}

/** A message to be sent to the broker. */
export interface OutgoingMessage {
  /** Name of the exchange; empty for the default exchange, which routes by the names of queues. */
  readonly exchange: string
  /** Routing key. */
  readonly routingKey: string
  /** Properties and headers. */
  readonly properties: AmqpProperties
  /** Content, as bytes. */
  readonly content: Buffer
  /** True to fail if no queue takes the message; otherwise the broker drops it and confirms all the same. */
  readonly mandatory?: boolean
}

/** A message as the broker delivered it. */
export interface IncomingMessage {
  /** Queue that it was consumed from. */
  readonly queue: string
  /** Exchange that it was sent to. */
  readonly exchange: string
  /** Routing key that it was sent with. */
  readonly routingKey: string
  /** Properties and headers. */
  readonly properties: AmqpProperties
  /** Content, as bytes. */
  readonly content: Buffer
}
