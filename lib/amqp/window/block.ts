/** Consumers of one message each that a window may have before they are put together. */
const MOST_SINGLE = 64
/** The most consumers of a larger window, each with a block; at least half as many. */
const MOST = 32

/**
 * The most messages that one consumer of a window may hold unsettled. One each is exact, and what a small window has. But each consumer
 * costs the broker work for each message, so that a thousand of them take less than a tenth of what a few do: the consumers of a
 * large window carry a block of slots each. A power of two, so that a window that grows and shrinks meets the same sizes again.
 * @param messages that the whole window may hold
 * @param prefetch the least: messages that a slot may have reserved
 */
export function blockSize(messages: number, prefetch: number): number {
  const singles = messages / prefetch
  if (singles <= MOST_SINGLE) return prefetch
  return prefetch * 2 ** Math.ceil(Math.log2(singles / MOST))
}
