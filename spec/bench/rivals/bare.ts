import type { Launch } from '../contender.js'
import type { Address } from '../workplace.js'

/** amqplib and nothing around it: so many consumers with so large a window each. */
export function bare({ consumers, prefetch }: { consumers: number; prefetch: number }) {
  return ({ brokerUrl, queue, trace }: Address): Launch => ({
    command: process.execPath,
    args: ['build/bench/programs/bareLoop.js', brokerUrl, queue, String(consumers), String(prefetch), trace],
    env: {},
  })
}
