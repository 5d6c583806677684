import type { Channel } from 'amqplib'

/**
 * Closes a channel, which gives back what was delivered on it. Resolves once the broker has answered, or the connection is lost: amqplib tells
 * of that by an event alone, and whoever waits for the answer would wait for ever.
 * @throws if it is closed already
 */
export async function closeChannel(channel: Channel): Promise<void> {
  const gone = new Promise<void>((resolve) => channel.once('close', () => resolve()))
  await Promise.race([channel.close(), gone])
}
