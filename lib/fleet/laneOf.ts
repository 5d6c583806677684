import { crc32 } from 'node:zlib'
import { containersOf } from '../app/orderKey.js'

/** The name of a lane: the queue of the broker that holds the messages of some of the order keys of another queue. */
export function laneName(queue: string, lane: number): string {
  return `${queue}.lane.${lane}`
}

/** Whether a queue is one of the lanes of another. */
export function isLaneOf(name: string, queue: string): boolean {
  return name.startsWith(`${queue}.lane.`)
}

/**
 * The part of an order key that decides its lane: the first one, since what has the key `a` waits for all that begins with `a/`, and has to be
 * in the same lane. Written as `inspect lanes` shows it.
 */
export function rootOf(key: string): string {
  return containersOf(key)[0] ?? key
}

/**
 * The lane of an order key: CRC-32 of the first part's UTF-8, modulo the number of lanes. It never changes, so that producers may feed the lanes
 * themselves. In Python: `zlib.crc32(key.encode()) % lanes`; in Node.js: `zlib.crc32(key) % lanes`.
 * @returns from 0 to `lanes - 1`
 */
export function laneOf(key: string, lanes: number): number {
  return crc32(rootOf(key)) % lanes
}
