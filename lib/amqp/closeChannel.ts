import { setTimeout as pause } from 'node:timers/promises'
import type { Channel } from 'amqplib'

/** How long a broker may take to answer. */
const LIMIT_MS = 2000

/**
 * Closes a channel, which gives back what was delivered on it. Resolves once the broker has answered, or the connection is lost: amqplib
 * reports that only by an event, and waiting for the answer alone could take forever. A broker that has blocked the connection, because it is
 * short of memory, doesn't answer before it reads again: this resolves after two seconds then, and nobody else gets the messages before.
 * @throws if it is closed already
 */
export async function closeChannel(channel: Channel): Promise<void> {
  const gone = new Promise<void>((resolve) => channel.once('close', () => resolve()))
  const limit = new AbortController()
  const late = pause(LIMIT_MS, undefined, { signal: limit.signal }).catch(() => undefined)
  try {
    await Promise.race([channel.close(), gone, late])
  } finally {
    limit.abort()
  }
}
