import { crc32 } from 'node:zlib'
import { rootOf } from '../app/orderKey.js'
import type { Publisher } from '../ports.js'

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
 * Returns where a message of a queue is sent to wait: what came from a lane goes to the queue of its fleet, since the
 * number of lanes may be another one when it is due.
 * @param fleets names of the queues that have lanes
 */
export function homeOf(name: string, fleets: readonly string[]): string {
  return fleets.find((queue) => isLaneOf(name, queue)) ?? name
}

/**
 * Makes a publisher that sends what goes back to a lane to the queue of its fleet. A task that was acknowledged before
 * its run holds up no change of the number of lanes: its next try could come to a lane that nobody takes any more.
 * @param fleets names of the queues that have lanes
 */
export function homeward(publisher: Publisher, fleets: readonly string[]): Publisher {
  return {
    publish: (message, signal, tries) => {
      const routingKey = message.exchange === '' ? homeOf(message.routingKey, fleets) : message.routingKey
      return publisher.publish({ ...message, routingKey }, signal, tries)
    },
  }
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
