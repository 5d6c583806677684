import { QueueRefused } from '../broker/intake.js'
import { coerceError } from '../errors.js'
import type { Epoch } from './epoch.js'
import { isReply } from './replyCode.js'

/** As all releases from 3.10 to 4.3 have it; in other words, a queue is taken for one that comes back. */
const NO_QUEUE = /NOT_FOUND - no queue '/
/** They close the channel that asked. */
const OF_CHANNEL = ['ACCESS_REFUSED', 'NOT_FOUND', 'RESOURCE_LOCKED', 'PRECONDITION_FAILED'] as const
/** They end the connection. */
const OF_CONNECTION = ['COMMAND_INVALID', 'NOT_ALLOWED', 'NOT_IMPLEMENTED', 'INTERNAL_ERROR'] as const

/**
 * Whether an error that came of using a queue is the broker's refusal of that queue, and not the loss of the connection.
 * @returns what the broker said; null if it was something else
 */
export function refusalOf(thrown: unknown, epoch: Epoch): QueueRefused | null {
  if (isReply(thrown, ...OF_CHANNEL)) return new QueueRefused(coerceError(thrown).message, false, thrown)
  const { aborted, reason } = epoch.ended
  if (!aborted || !isReply(reason, ...OF_CONNECTION)) return null
  return new QueueRefused(coerceError(reason).message, true, reason)
}

/**
 * Whether the broker says that there is no such queue, which takes all its messages with it when it is deleted. Other errors have this
 * code, too, such as that the queue's node is down: that queue comes back.
 */
export function isNoQueue(thrown: unknown): boolean {
  return isReply(thrown, 'NOT_FOUND') && NO_QUEUE.test(coerceError(thrown).message)
}

/**
 * Asks for leave to consume, on a channel of its own, before the queue is counted among those that share the slots. At most one message
 * is taken, and goes back: to its place, but in a quorum queue behind all that came back before.
 * @throws the broker's refusal
 */
export function askToConsume(epoch: Epoch, queue: string): Promise<void> {
  return epoch.scratch(async (channel) => {
    await channel.prefetch(1)
    await channel.consume(queue, () => undefined)
  })
}
