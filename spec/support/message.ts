import { randomUUID } from 'node:crypto'
import type { AmqpProperties } from '../../lib/protocol/amqp.js'

export interface MessageOptions {
  id?: string
  args?: readonly unknown[]
  kwargs?: Record<string, unknown>
  headers?: Record<string, unknown>
  embed?: Record<string, unknown>
}

/** A protocol 2 message as a Celery client sends it: what goes before `content` are AMQP's properties. */
export function taskMessage(
  task: string,
  options: MessageOptions = {},
): { properties: AmqpProperties; content: Buffer } {
  const id = options.id ?? randomUUID()
  const embed = { callbacks: null, errbacks: null, chain: null, chord: null, ...options.embed }
  return {
    properties: {
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      deliveryMode: 2,
      priority: 0,
      correlationId: id,
      headers: {
        lang: 'py',
        task,
        id,
        root_id: id,
        parent_id: null,
        retries: 0,
        eta: null,
        expires: null,
        ...options.headers,
      },
    },
    content: Buffer.from(JSON.stringify([options.args ?? [], options.kwargs ?? {}, embed])),
  }
}
