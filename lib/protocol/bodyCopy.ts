import { randomUUID } from 'node:crypto'
import type { AmqpTable } from './amqp.js'

/** A message of a chord's body, or of a task of it, which may have been sent twice. */
export interface BodyCopy {
  /** The task's id. */
  readonly id: string
  /** The id of the header's group. */
  readonly groupId: string
  /** Tells apart the times that the header was completed: it may be sent anew, with the same ids. */
  readonly completion: string
  /** Tells apart the times that the body was sent for one completion. */
  readonly copy: string
}

/**
 * Header of a chord's body: `<id of the header's group>/<completion>/<copy>`. A worker may be lost after it has sent
 * the body, and before it could note that: then the last member runs again elsewhere, and the body is sent again.
 */
const COPY = 'celeriac-copy'
const LONGEST = 350

/** Returns the header for sending the body of a chord once. */
export function newCopy(groupId: string, completion: string): AmqpTable {
  return { [COPY]: `${groupId}/${completion}/${randomUUID()}` }
}

/** Returns which copy of a chord's body a message is; null for any other message. */
export function copyOf(headers: AmqpTable): Omit<BodyCopy, 'id'> | null {
  const value = headers[COPY]
  if (typeof value !== 'string' || value.length > LONGEST) return null
  const parts = value.split('/')
  const [completion, copy] = parts.splice(-2)
  const groupId = parts.join('/')
  return groupId && completion && copy ? { groupId, completion, copy } : null
}
