/** Consumers of one message each that a window may have before they are combined into blocks. */
const MOST_SINGLE = 64
/** The most consumers of a larger window, each with a block; at least half as many. */
const MOST = 32

/**
 * The most messages that one consumer of a window may hold unsettled. One each is exact, and is used for a small
 * window. But each consumer costs the broker work for each message, so that a thousand consumers reach less than a
 * tenth of the throughput of a few: the consumers of a large window carry a block of slots each. The size is a power of
 * two, so that a window that grows and shrinks uses the same sizes again.
 * @param messages that the whole window may hold
 * @param prefetch the minimum: messages that a slot may have reserved
 */
export function blockSize(messages: number, prefetch: number): number {
  const singles = messages / prefetch
  if (singles <= MOST_SINGLE) return prefetch
  return prefetch * 2 ** Math.ceil(Math.log2(singles / MOST))
}
