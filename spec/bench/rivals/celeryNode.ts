import { setTimeout } from 'node:timers/promises'
import type { Launch } from '../contender.js'
import { warmUp } from '../drain.js'
import type { RateQuantity, Source } from '../rate.js'
import { type Stand, until } from '../stand.js'
import { type Address, atWork } from '../workplace.js'

/** celery-node's worker. */
function celeryNode({ brokerUrl, queue, redisUrl }: Address): Launch {
  return {
    command: process.execPath,
    args: ['build/bench/programs/celeryNode.js', brokerUrl, queue, redisUrl],
    env: {},
  }
}

interface Call {
  /** Calls of the handler so far. */
  readonly calls: number
  readonly atUs: number
  readonly cpuMs: number
}

/**
 * How fast celery-node runs tasks. It takes the whole queue at once, without a limit, so that the queue's depth says nothing of it:
 * it counts its calls of the handler, and says how many and when.
 */
export function celeryNodePace(stand: Stand, source: Source): Promise<Record<RateQuantity, number>> {
  const { desk, scale, signal } = stand
  return atWork(stand, celeryNode, async (place) => {
    const { queue, worker } = place
    const seen: Call[] = []
    worker.onLine = (line) => {
      const [, calls, atUs] = /^(\d+) (\d+)$/.exec(line) ?? []
      if (calls === undefined || atUs === undefined) return
      seen.push({ calls: Number(calls), atUs: Number(atUs), cpuMs: worker.cpuMs() })
    }
    const ran = (calls: number): Promise<void> =>
      until(
        () => {
          worker.check()
          return (seen.at(-1)?.calls ?? 0) >= calls
        },
        { signal, what: `celery-node to run ${calls} tasks`, everyMs: 20 },
      )
    await warmUp(stand, place, source(scale.warmUp))
    await ran(scale.warmUp)
    await setTimeout(100, undefined, { signal })
    worker.pause()
    await desk.fill(queue, source(scale.backlog))
    worker.resume()
    await ran(scale.warmUp + scale.backlog)
    const first = seen.find(({ calls }) => calls >= scale.warmUp + scale.backlog * 0.07)
    const last = seen.at(-1)
    const tasks = (last?.calls ?? 0) - (first?.calls ?? 0)
    if (!first || !last || tasks <= 0) throw new Error('celery-node has said too little')
    return { rate: (tasks / (last.atUs - first.atUs)) * 1e6, cpuUs: ((last.cpuMs - first.cpuMs) / tasks) * 1000 }
  })
}
