import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import type { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { bestOf } from '../support/rounds.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

const BURST = 2000
const TASK_MS = 20
const ROUNDS = 8
const MOST_TIMES = 1.15

describe(`a burst of ${BURST} messages of ${TASK_MS} ms`, () => {
  let client: Client
  let worker: Worker | undefined

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
  })

  afterEach(async () => {
    await worker?.stop()
    await client.close()
  })

  /** From the first start to the last end, by a worker that has run nothing before. */
  async function drain(config: Record<string, unknown>): Promise<{ ms: number; log: MemoryLog }> {
    const queue = await client.queue()
    await client.publish(
      queue,
      Array.from({ length: BURST }, () => taskMessage('spec.wait')),
    )
    let first = Number.POSITIVE_INFINITY
    let last = 0
    let done = 0
    const app = new OfflineApp('spec')
    app.task('spec.wait', { ignoreResult: true }, async () => {
      first = Math.min(first, performance.now())
      await sleep(TASK_MS)
      last = performance.now()
      done++
    })
    const started = await startWorker(app, brokerUrl(), queue, config)
    worker = started.worker
    await waitFor(() => done === BURST, { what: 'the burst to be over' })
    return { ms: last - first, log: started.log }
  }

  it('is drained nearly as fast by --autoscale=100,2 as by 100 slots, in few resizes, and then the slots are closed', async () => {
    let log: MemoryLog | undefined
    const measure = async (): Promise<number> => {
      await worker?.stop()
      const fixed = await drain({ worker_concurrency: 100 })
      await worker?.stop()
      const scaled = await drain({ worker_autoscale: '100,2', worker_autoscale_keepalive: 2 })
      log = scaled.log
      return scaled.ms / fixed.ms
    }
    expect(await bestOf(ROUNDS, measure, (times) => times <= MOST_TIMES)).toBeLessThanOrEqual(MOST_TIMES)
    await waitFor(() => worker?.line.pool.size === 2, { what: 'the slots to be closed' })
    const resizes = log?.of('INFO').filter((line) => line.startsWith('Scaling ')) ?? []
    expect(resizes[0]).toMatch(/^Scaling up \d+ slots to \d+: backlog$/)
    expect(resizes.length).toBeLessThanOrEqual(10)
  })
})
