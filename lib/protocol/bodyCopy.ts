import { randomUUID } from 'node:crypto'
import type { AmqpTable } from './amqp.js'

/** A message of a chord's body, or of a task of it, which may have been sent twice. */
export interface BodyCopy {
  /** The task's id. */
  readonly id: string
  /** The id of the header's group. */
  readonly groupId: string
  /** Tells apart the times that it was sent. */
  readonly copy: string
}

/**
 * Header of a chord's body: `<id of the header's group>/<one for each time that it is sent>`. A worker may be lost
 * after it has sent the body, and before it could note that: then the last member runs again elsewhere, and the body is
 * sent again.
 */
const COPY = 'celeriac-copy'
const LONGEST = 300

/** Returns the header for sending the body of a chord once. */
export function newCopy(groupId: string): AmqpTable {
  return { [COPY]: `${groupId}/${randomUUID()}` }
}

/** Returns which copy of a chord's body a message is; null for any other message. */
export function copyOf(headers: AmqpTable): Omit<BodyCopy, 'id'> | null {
  const value = headers[COPY]
  if (typeof value !== 'string' || value.length > LONGEST) return null
  const at = value.lastIndexOf('/')
  return at < 1 ? null : { groupId: value.slice(0, at), copy: value.slice(at + 1) }
}
