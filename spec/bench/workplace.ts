import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Releasers } from '../packit/releasers.js'
import { Contender, type Launch } from './contender.js'
import { releasing, type Stand, until } from './stand.js'

/** A worker on a queue of its own. */
export interface Workplace {
  readonly queue: string
  readonly worker: Contender
  /** A file of this place alone. */
  readonly trace: string
}

/** What a rival needs to know to start its worker. */
export interface Address {
  readonly queue: string
  readonly brokerUrl: string
  readonly redisUrl: string
  readonly trace: string
}

/** Starts a worker on a fresh queue, waits until it consumes, lets the work be done, and takes everything away. */
export function atWork<T>(
  stand: Stand,
  launch: (address: Address) => Launch,
  work: (place: Workplace, releasers: Releasers) => Promise<T>,
): Promise<T> {
  return releasing(async (releasers) => {
    const queue = await freshQueue(stand, releasers)
    const trace = join(stand.directory, `${queue}.trace`)
    const address = { queue, trace, brokerUrl: stand.broker.url, redisUrl: stand.redis.url }
    const worker = new Contender(launch(address))
    releasers.add(() => worker.end())
    await whenConsuming(stand, queue, worker)
    return await work({ queue, worker, trace }, releasers)
  })
}

/** A queue that goes when all is released. */
export async function freshQueue(
  stand: Stand,
  releasers: Releasers,
  args: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const queue = `bench.${randomBytes(6).toString('hex')}`
  await stand.desk.createQueue(queue, args)
  releasers.add(() => stand.desk.deleteQueue(queue))
  return queue
}

const SETTLED_MS = 150

/** Waits until the worker's consumers, however many it opens, have stopped to become more. */
async function whenConsuming({ desk, signal }: Stand, queue: string, worker: Contender): Promise<void> {
  let seen = 0
  let since = 0
  const what = 'the worker to consume'
  await until(
    async () => {
      worker.check()
      const { consumers } = await desk.depth(queue)
      if (consumers !== seen) since = performance.now()
      seen = consumers
      return seen > 0 && performance.now() - since > SETTLED_MS
    },
    { signal, what, everyMs: 10 },
  )
}
