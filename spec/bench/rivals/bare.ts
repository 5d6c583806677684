import type { Launch } from '../contender.js'
import type { Address } from '../workplace.js'

/** How a bare loop consumes. */
export interface Loop {
  readonly consumers: number
  /** Of each consumer. */
  readonly prefetch: number
  /** Whether it stores a result in Redis for each message. */
  readonly results?: boolean
}

/** amqplib and nothing around it: so many consumers with so large a window each. */
export function bare({ consumers, prefetch, results = false }: Loop) {
  return ({ brokerUrl, queue, redisUrl, trace }: Address): Launch => {
    const program = ['build/bench/programs/bareLoop.js', brokerUrl, queue, String(consumers), String(prefetch), trace]
    return { command: process.execPath, args: results ? [...program, redisUrl] : program, env: {} }
  }
}

/** amqplib and ioredis and nothing around them, for chains. */
export function bareChain({ brokerUrl, queue, redisUrl }: Address): Launch {
  return { command: process.execPath, args: ['build/bench/programs/chainLoop.js', brokerUrl, queue, redisUrl], env: {} }
}
