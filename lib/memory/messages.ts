import type { AmqpProperties, OutgoingMessage } from '../protocol/amqp.js'

/** A message in a queue of this process. */
export interface StoredMessage {
  /** Place in the queue, which the message keeps when it is given back. */
  readonly place: number
  /** 0 in a queue without priorities. */
  readonly priority: number
  readonly exchange: string
  readonly routingKey: string
  readonly properties: AmqpProperties
  readonly content: Buffer
  /** Wall-clock milliseconds; null for never. */
  readonly expiresAt: number | null
  /** True if it was delivered before. */
  redelivered: boolean
}

/** Returns a message as it arrives: with headers of its own, and without undefined values in them. */
export function received(message: OutgoingMessage): OutgoingMessage {
  const { properties } = message
  return { ...message, properties: { ...properties, headers: copied(properties.headers ?? {}) } }
}

function copied(table: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const known = Object.entries(table).filter(([, value]) => value !== undefined)
  return Object.fromEntries(known.map(([name, value]) => [name, copyOf(value)]))
}

function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf)
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value
  return copied(value as Record<string, unknown>)
}
