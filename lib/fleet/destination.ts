import type { KeyOf } from '../app/orderKey.js'
import { keyFunction, rootOf } from '../app/orderKey.js'
import type { Registry } from '../app/registry.js'
import type { Destination } from '../broker/fleetSession.js'
import type { IncomingMessage } from '../protocol/amqp.js'
import type { ContentLimits } from '../protocol/content/content.js'
import { decode } from '../protocol/decode.js'
import { laneName, laneOf } from './laneOf.js'

export interface DestinationOptions {
  readonly queue: string
  readonly tasks: Registry
  readonly limits: ContentLimits
  readonly orderBy: Readonly<Record<string, string>> | null
}

/** Tasks that aren't registered here may be elsewhere: the setting and the header define their keys. */
const UNKNOWN: { readonly keyOf: KeyOf | null } = { keyOf: null }

/**
 * Makes the function that chooses the lane of a message by its order key, as the worker determines it. Messages without
 * a key, and unreadable ones, are spread over the lanes in turn: whoever gets one settles it as without lanes.
 */
export function destinations({
  limits,
  orderBy,
  queue,
  tasks,
}: DestinationOptions): (message: IncomingMessage, lanes: number) => Destination {
  const keyOf = keyFunction(orderBy)
  let turn = 0
  return ({ content, properties }, lanes) => {
    let key: string | null = null
    try {
      const message = decode(properties, content, limits)
      key = keyOf(tasks.get(message.task) ?? UNKNOWN, message)
    } catch {
      // Whoever gets the message logs it.
    }
    if (key === null) return { queue: laneName(queue, turn++ % lanes), key: null }
    return { queue: laneName(queue, laneOf(key, lanes)), key: rootOf(key) }
  }
}
