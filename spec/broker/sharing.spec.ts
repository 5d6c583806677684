import { setInterval, setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { bestOf } from '../support/rounds.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

const TASK_MS = 100
const ARRIVALS_PER_SECOND = 600
const SECONDS = 4
const ROUNDS = 6
const MOST_DIFFERENCE = 1.2
const isAlike = (difference: number): boolean => difference <= MOST_DIFFERENCE

describe('two workers on one queue', () => {
  let client: Client
  let queue: string
  let workers: Worker[]
  let done: Map<Worker, number>

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    workers = []
  })

  afterEach(async () => {
    await stopAll()
    await client.close()
  })

  const stopAll = async (): Promise<void> => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop()))
  }

  /** Two new ones for each round: how they have divided the first messages stays as long as the load does, and would spoil all rounds. */
  async function startTwo(): Promise<void> {
    await stopAll()
    done = new Map()
    await start()
    await start()
  }

  async function start(): Promise<void> {
    const app = new OfflineApp('spec')
    app.task('spec.wait', { ignoreResult: true }, async () => {
      await setTimeout(TASK_MS)
      done.set(worker, (done.get(worker) ?? 0) + 1)
    })
    const { worker } = await startWorker(app, brokerUrl(), queue, { worker_autoscale: '100,2' })
    workers.push(worker)
  }

  const publish = (count: number): Promise<void> =>
    client.publish(
      queue,
      Array.from({ length: count }, () => taskMessage('spec.wait')),
    )

  const allDone = (count: number): Promise<void> =>
    waitFor(() => [...done.values()].reduce((sum, runs) => sum + runs, 0) === count, {
      what: `${count} messages to be done`,
    })

  const difference = (shares: Iterable<number>): number => Math.max(...shares) / Math.min(...shares)

  it('share what waits in it within 20 %', async () => {
    const measure = async (): Promise<number> => {
      await startTwo()
      await publish(4000)
      await allDone(4000)
      return difference(done.values())
    }
    expect(await bestOf(ROUNDS, measure, isAlike)).toBeLessThanOrEqual(MOST_DIFFERENCE)
    expect(done.size).toBe(2)
  })

  it('share what arrives, and open as many slots for it, within 20 %', async () => {
    const measure = async (): Promise<number> => {
      await startTwo()
      let published = 0
      const began = performance.now()
      for await (const _ of setInterval(10)) {
        const seconds = Math.min(SECONDS, (performance.now() - began) / 1000)
        const due = Math.floor(seconds * ARRIVALS_PER_SECOND) - published
        published += due
        await publish(due)
        if (seconds === SECONDS) break
      }
      await allDone(published)
      const sizes = workers.map((worker) => worker.line.pool.size)
      return Math.max(difference(done.values()), difference(sizes))
    }
    expect(await bestOf(ROUNDS, measure, isAlike)).toBeLessThanOrEqual(MOST_DIFFERENCE)
    expect(done.size).toBe(2)
  })
})
