import { setInterval, setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Worker } from '../../lib/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

const TASK_MS = 100
const ARRIVALS_PER_SECOND = 600
const SECONDS = 4

describe('two workers on one queue', () => {
  let client: Client
  let queue: string
  let workers: Worker[]
  let done: Map<Worker, number>

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    workers = []
    done = new Map()
    for (let n = 0; n < 2; n++) await start()
  })

  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()))
    await client.close()
  })

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

  function expectAlike(shares: readonly number[]): void {
    expect(shares).toHaveLength(2)
    expect(Math.max(...shares)).toBeLessThanOrEqual(1.2 * Math.min(...shares))
  }

  it('share what waits in it within 20 %', async () => {
    await publish(4000)
    await allDone(4000)
    expectAlike([...done.values()])
  })

  it('share what arrives, and open as many slots for it, within 20 %', async () => {
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
    expectAlike([...done.values()])
    expectAlike(workers.map((worker) => worker.line.pool.size))
  })
})
