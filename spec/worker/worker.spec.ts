import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { type Redis, startRedis } from '../support/redis.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

describe('the readiness of a worker', () => {
  let client: Client
  let queue: string
  let redis: Redis
  let worker: Worker

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    redis = await startRedis({ durable: true })
    const app = new OfflineApp('spec')
    app.task('spec.echo', { acksLate: true }, (value: unknown) => value)
    const config = { result_backend: redis.url, worker_concurrency: 2 }
    worker = (await startWorker(app, brokerUrl(), queue, config)).worker
  })

  afterEach(async () => {
    await worker.stop()
    await client.close()
    await redis.dispose()
  })

  it('says that results wait, and intake stands still, while the backend is away; all goes on when it is back', async () => {
    expect(worker.readiness).toEqual([])
    await redis.kill()
    await client.publish(
      queue,
      [1, 2, 3, 4, 5].map((n) => taskMessage('spec.echo', { args: [n] })),
    )
    await waitFor(() => worker.readiness.length === 1, { what: 'the loss to be told' })
    expect(worker.readiness[0]).toMatch(/^results wait: redis:\/\/.* can't be reached$/)
    // Both slots wait for their results to be stored: nothing is acknowledged, and nothing more is taken.
    await waitFor(async () => worker.line.state.running.size === 2 && (await client.depth(queue)) === 3, {
      what: 'both slots to wait, and the rest to be left in the queue',
    })
    expect(worker.line.state.endings.get('succeeded')).toBeUndefined()
    await redis.start()
    await waitFor(() => worker.line.state.endings.get('succeeded') === 5, {
      what: 'all five to end',
    })
    expect(worker.readiness).toEqual([])
  })

  it('says that it is stopping', async () => {
    await worker.stop()
    expect(worker.readiness[0]).toBe('it is stopping')
  })
})
