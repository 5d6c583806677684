import { isDeepStrictEqual } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.js'
import { bestOf } from '../support/rounds.js'
import { waitFor } from '../support/waitFor.js'

const COUNT = 10_000

describe('tasks that are due far ahead', () => {
  // The delay queues have fixed names, so these specs have a broker of their own.
  let broker: Rabbitmq
  let client: Client
  let worker: Worker | undefined

  beforeAll(async () => {
    broker = await startRabbitmq()
    client = await Client.open(broker.url)
  })

  afterEach(() => worker?.stop())

  afterAll(async () => {
    await client.close()
    await broker.dispose()
  })

  /** Messages of all queues: ready, and delivered but unacknowledged. */
  async function totals(): Promise<{ ready: number; unacked: number }> {
    const listed = await broker.ctl(
      '-q',
      'list_queues',
      'messages_ready',
      'messages_unacknowledged',
      '--no-table-headers',
    )
    const rows = listed
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number))
    const sum = (column: number): number => rows.reduce((total, row) => total + (row[column] ?? 0), 0)
    return { ready: sum(0), unacked: sum(1) }
  }

  /** Quorum queues tell their counts a little late. */
  const allReady = (): Promise<void> =>
    waitFor(async () => isDeepStrictEqual(await totals(), { ready: COUNT, unacked: 0 }), {
      what: `${COUNT} messages ready and none unacknowledged`,
    })

  it('wait in the broker, ten thousand of them, none unacknowledged, and are there after a restart of the worker', async () => {
    const queue = await client.queue()
    const eta = new Date(Date.now() + 3_600_000).toISOString()
    await client.publish(
      queue,
      Array.from({ length: COUNT }, (_, n) => taskMessage('spec.later', { args: [n], headers: { eta } })),
    )
    const app = new OfflineApp('spec')
    app.task('spec.later', (_n: number) => undefined)
    const first = await startWorker(app, broker.url, queue)
    worker = first.worker
    await waitFor(() => first.worker.line.state.received === COUNT && first.worker.line.state.requests.size === 0, {
      what: 'all of them to be sent on',
    })
    await allReady()
    expect(await client.depth(queue)).toBe(0)
    await first.worker.stop()
    const second = await startWorker(app, broker.url, queue)
    worker = second.worker
    await allReady()
    expect(second.worker.line.state.received).toBe(0)
  })

  it('come back and start at their time', async () => {
    const queue = await client.queue()
    const ran: number[] = []
    const app = new OfflineApp('spec')
    app.task('spec.soon', () => {
      ran.push(Date.now())
    })
    const started = await startWorker(app, broker.url, queue, { worker_eta_memory_limit: 1 })
    worker = started.worker
    const measure = async (): Promise<number> => {
      ran.length = 0
      const before = started.worker.line.state.received
      const waitMs = 3500
      const due = Date.now() + waitMs
      await client.publish(queue, [taskMessage('spec.soon', { headers: { eta: new Date(due).toISOString() } })])
      await waitFor(() => ran.length > 0, { what: 'the task to run' })
      expect(started.worker.line.state.received - before).toBe(2)
      expect(ran[0]).toBeGreaterThanOrEqual(due)
      return ((ran[0] ?? Number.NaN) - due) / waitMs
    }
    // The delay queues count in whole seconds; the worker keeps the rest to the millisecond.
    expect(await bestOf(5, measure, (late) => late < 0.05)).toBeLessThan(0.05)
  })

  it.each([
    ['classic', {}],
    ['quorum', { 'x-queue-type': 'quorum' }],
  ])('make room at worker_parked_limit for what is due now, in a %s queue', async (_type, args) => {
    const queue = await client.queue(args)
    const ran: string[] = []
    const app = new OfflineApp('spec')
    app.task('spec.say', (what: string) => {
      ran.push(what)
    })
    const eta = new Date(Date.now() + 300_000).toISOString()
    const later = Array.from({ length: 60 }, () => taskMessage('spec.say', { args: ['later'], headers: { eta } }))
    await client.publish(queue, [...later, taskMessage('spec.say', { args: ['now'] })])
    const started = await startWorker(app, broker.url, queue, { worker_parked_limit: 20, worker_concurrency: 2 })
    worker = started.worker
    const { state } = started.worker.line
    await waitFor(() => ran.length > 0, { what: 'the last message to run' })
    expect(ran).toEqual(['now'])
    await waitFor(() => state.parked <= 20 && state.postponed + state.parked === 60, {
      what: 'each of the others to wait somewhere',
    })
    // Those that came before there were too many are due here, to the millisecond.
    expect(state.parked).toBeGreaterThanOrEqual(19)
    expect(state.parked).toBeLessThanOrEqual(20)
    expect(started.log.of('INFO').filter((line) => line.includes('in the delay queues'))).toHaveLength(1)
    await started.worker.stop()
    expect(await client.depth(queue)).toBe(state.received - 1 - state.postponed)
  })
})
