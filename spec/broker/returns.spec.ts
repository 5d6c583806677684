import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { DELAY_LEVELS, levelName } from '../../lib/protocol/delay.js'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.js'
import { waitFor } from '../support/waitFor.js'

/** More than `worker_max_deliveries`, and than RabbitMQ 4 lets a message of a quorum queue come back unless told otherwise. */
const RESTARTS = 23

describe('a message of a quorum queue that goes back again and again without having run', () => {
  // The delay queues have fixed names, and connections are closed at the broker.
  let broker: Rabbitmq
  let client: Client
  let worker: Worker | undefined

  beforeAll(async () => {
    broker = await startRabbitmq()
  })

  afterEach(async () => {
    await worker?.stop()
    worker = undefined
    await client.close()
  })

  afterAll(() => broker.dispose())

  it('is still there after any number of restarts, if it waits for its time', async () => {
    client = await Client.open(broker.url)
    const queue = await client.queue({ 'x-queue-type': 'quorum' })
    const eta = new Date(Date.now() + 400_000).toISOString()
    await client.publish(queue, [taskMessage('spec.later', { headers: { eta } })])
    const app = new OfflineApp('spec')
    app.task('spec.later', () => undefined)
    const isDelayed = async (): Promise<boolean> => {
      for (let level = 0; level < DELAY_LEVELS; level++) if ((await client.depth(levelName(level))) > 0) return true
      return false
    }
    let parked = 0
    do {
      const started = await startWorker(app, broker.url, queue, { without_mingle: true })
      worker = started.worker
      const { state } = started.worker.line
      await waitFor(() => state.received > 0, { what: 'the message to be received' })
      expect(state.refused.get('deliveries')).toBeUndefined()
      parked++
      await started.worker.stop()
    } while (parked < RESTARTS && !(await isDelayed()))
    // RabbitMQ 4.3 doesn't count what a worker gives back that stops.
    expect((await isDelayed()) ? 1 : await client.depth(queue)).toBe(1)
  })

  it('is not taken for poison, if this worker has seen that it went back without a run', async () => {
    client = await Client.open(broker.url)
    const queue = await client.queue({ 'x-queue-type': 'quorum' })
    const ran: number[] = []
    const app = new OfflineApp('spec')
    app.task('spec.limited', { rateLimit: '1/h' }, (n: number) => {
      ran.push(n)
    })
    const started = await startWorker(app, broker.url, queue, { worker_max_deliveries: 2 })
    worker = started.worker
    const { state } = started.worker.line
    await client.publish(queue, [taskMessage('spec.limited', { args: [0] })])
    await waitFor(() => ran.length === 1, { what: 'the first of them to run' })
    await client.publish(queue, [taskMessage('spec.limited', { args: [1] })])
    await waitFor(() => state.parked === 1, { what: 'the second to wait' })
    for (let cut = 1; cut <= 4; cut++) {
      const { received } = state
      await broker.ctl('close_all_connections', 'spec')
      await waitFor(() => state.received > received, { timeoutMs: 60_000, what: `the message after cut ${cut}` })
      expect(state.refused.get('deliveries')).toBeUndefined()
    }
    expect([ran, state.parked]).toEqual([[0], 1])
    client = await Client.open(broker.url)
  })

  it.each([
    ['classic', 'succeeded'],
    ['quorum', 'rejected'],
  ])('counts as its %s queue says, not as its sender does: it is %s', async (type, ending) => {
    client = await Client.open(broker.url)
    const queue = await client.queue(type === 'quorum' ? { 'x-queue-type': 'quorum' } : {})
    const app = new OfflineApp('spec')
    app.task('spec.counted', () => undefined)
    const headers = { 'x-delivery-count': 99 }
    await client.publish(queue, [taskMessage('spec.counted', { headers: type === 'classic' ? headers : {} })])
    for (let returns = 0; returns < 2; returns++) await client.giveBack(queue)
    const started = await startWorker(app, broker.url, queue, { worker_max_deliveries: 1 })
    worker = started.worker
    const { state } = started.worker.line
    await waitFor(() => state.endings.has('succeeded') || state.refused.has('deliveries'), { what: 'the task to end' })
    expect(state.refused.has('deliveries') ? 'rejected' : 'succeeded').toBe(ending)
  })
})
