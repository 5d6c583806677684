import { QueueRefused } from '../broker/intake.js'
import { coerceError } from '../errors.js'
import type { Epoch } from './epoch.js'
import { isReply } from './replyCode.js'

/** The text in all releases from 3.10 to 4.3; with any other text the queue is assumed to come back. */
const NO_QUEUE = /NOT_FOUND - no queue '/
/** Refusals that close the channel. */
const OF_CHANNEL = ['ACCESS_REFUSED', 'NOT_FOUND', 'RESOURCE_LOCKED', 'PRECONDITION_FAILED'] as const
/** Refusals that end the connection. */
const OF_CONNECTION = ['COMMAND_INVALID', 'NOT_ALLOWED', 'NOT_IMPLEMENTED', 'INTERNAL_ERROR'] as const

/** Of INTERNAL_ERROR, which otherwise comes from a cluster that is incomplete: a quorum queue without a leader times out. */
const SWITCHED_OFF = /the corresponding feature flag is disabled/

/**
 * Whether an error from using a queue is the broker's refusal of that queue, rather than the loss of the connection.
 * @returns the refusal; null for any other error
 */
export function refusalOf(thrown: unknown, epoch: Epoch): QueueRefused | null {
  if (thrown instanceof QueueRefused) return thrown
  if (isReply(thrown, ...OF_CHANNEL)) return new QueueRefused(coerceError(thrown).message, false, thrown)
  return endedBy(epoch)
}

/** The refusal over which the broker has ended the connection; null for any other end, and for none. */
export function endedBy(epoch: Epoch): QueueRefused | null {
  const { aborted, reason } = epoch.ended
  if (!aborted || !isReply(reason, ...OF_CONNECTION)) return null
  const { message } = coerceError(reason)
  return new QueueRefused(message, true, reason, isReply(reason, 'INTERNAL_ERROR') && !SWITCHED_OFF.test(message))
}

/** The refusal of a stream: it gives every message to every consumer, and none back. */
export function streamRefused(queue: string): QueueRefused {
  return new QueueRefused(
    `${queue} is a stream, which would run each task once a slot: use a classic or a quorum queue`,
    false,
  )
}

/**
 * Whether the broker says that the queue doesn't exist: when a queue is deleted, its messages are too. Other errors
 * have the same code, for example when the queue's node is down: that queue comes back.
 */
export function isNoQueue(thrown: unknown): boolean {
  return isReply(thrown, 'NOT_FOUND') && NO_QUEUE.test(coerceError(thrown).message)
}

/**
 * Checks that a queue may be consumed, on a channel of its own, before it is counted among those that share the slots.
 * At most one message is taken, and goes back: to its place, but in a quorum queue behind all that came back before.
 * Not for a queue that the broker deletes when its last consumer is gone: that may be this one.
 * @throws the broker's refusal
 */
export function askToConsume(epoch: Epoch, queue: string): Promise<void> {
  return epoch.scratch(async (channel) => {
    await channel.prefetch(1)
    await channel.consume(queue, () => undefined)
  })
}
