import type { Launch } from '../contender.js'
import type { Address } from '../workplace.js'

/** How a relay moves messages. */
export interface Relay {
  /** To how many queues. */
  readonly lanes: number
  /** The most messages that it has taken and not yet moved. */
  readonly prefetch: number
}

/** amqplib and nothing around it: consume, publish, wait for the confirmation, acknowledge. */
export function relay({ lanes, prefetch }: Relay) {
  return ({ brokerUrl, queue }: Address): Launch => ({
    command: process.execPath,
    args: ['build/bench/programs/relay.js', brokerUrl, queue, String(lanes), String(prefetch)],
    env: {},
  })
}
