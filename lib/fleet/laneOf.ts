import { crc32 } from 'node:zlib'
import { rootOf } from '../app/orderKey.js'

/**
 * Returns the name of a lane: the queue of the broker that holds the messages of some of the order keys of another
 * queue.
 */
export function laneName(queue: string, lane: number): string {
  return `${queue}.lane.${lane}`
}

/** Returns whether a queue is a lane of another. */
export function isLaneOf(name: string, queue: string): boolean {
  return name.startsWith(`${queue}.lane.`)
}

/**
 * Returns the lane of an order key: CRC-32 of the first part's UTF-8, as `inspect lanes` shows it, modulo the number of
 * lanes: key `a` waits for every key that begins with `a/`, and must be in the same lane. This never changes,
 * so that producers may publish to the lanes themselves. In Python: `zlib.crc32(key.encode()) % lanes`; in Node.js:
 * `zlib.crc32(key) % lanes`.
 * @returns from 0 to `lanes - 1`
 */
export function laneOf(key: string, lanes: number): number {
  return crc32(rootOf(key)) % lanes
}
