import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { laneName } from '../../lib/fleet/laneOf.js'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.js'
import { waitFor } from '../support/waitFor.js'

describe('a broker that is short of memory', () => {
  let broker: Rabbitmq
  let worker: Worker | undefined

  beforeAll(async () => {
    broker = await startRabbitmq()
  })

  afterAll(async () => {
    await worker?.stop()
    await broker.dispose()
  })

  it('blocks what we publish, not what we consume, and both go on afterwards', async () => {
    const client = await Client.open(broker.url)
    const queue = await client.queue()
    const next = await client.queue()
    const app = new OfflineApp('spec')
    const ran: number[] = []
    app.task('spec.hop', { acksLate: true }, async (n: number) => {
      await app.sendTask('spec.next', [n], {}, { queue: next })
      ran.push(n)
    })
    app.task('spec.plain', { acksLate: true }, (n: number) => {
      ran.push(n)
    })
    const started = await startWorker(app, broker.url, queue, { worker_concurrency: 4 })
    worker = started.worker
    const hop = (n: number) => taskMessage('spec.hop', { args: [n] })
    const plain = (n: number) => taskMessage('spec.plain', { args: [n] })
    await client.publish(queue, [hop(1), plain(2), plain(3), hop(4)])
    await waitFor(() => ran.length === 4, { what: 'the first round' })
    await client.publish(
      queue,
      Array.from({ length: 3 }, (_, n) => taskMessage('spec.plain', { args: [10 + n], headers: { eta: later() } })),
    )
    await waitFor(() => started.worker.line.state.parked === 3, { what: 'three to be parked' })

    await broker.ctl('set_vm_memory_high_watermark', '0.000001')
    // A connection is blocked when it next publishes.
    const held = app.sendTask('spec.next', [0], {}, { queue: next })
    const publisher = () => [...started.worker.breakers].find(({ name }) => name === 'publisher')
    // The connection of the events may be blocked, and tell it, before this one.
    await waitFor(() => publisher()?.state === 'open', { what: 'the publisher to be blocked' })
    expect(started.log.of('WARNING')).toContainEqual(expect.stringContaining('has blocked this connection'))
    expect(publisher()).toMatchObject({
      state: 'open',
      opens: 1,
      lastError: expect.stringContaining('has blocked this connection'),
    })
    expect(started.worker.readiness).toEqual(['messages wait: the broker accepts none'])
    await waitFor(() => ran.length === 7, { what: 'the parked ones to run and be acked' })
    await broker.ctl('set_vm_memory_high_watermark', '0.4')
    await waitFor(() => started.log.of('INFO').some((line) => line.includes('has unblocked this connection')), {
      what: 'the end of the block',
    })
    await held
    expect(publisher()?.state).toBe('closed')
    expect(started.worker.readiness).toEqual([])
    await client.publish(queue, [hop(20)])
    await waitFor(() => ran.includes(20), { what: 'publishing to go on' })
    expect(started.log.of('ERROR')).toEqual([])
    await client.close()
  })
})

describe('a worker that starts while the broker is short of memory', () => {
  let broker: Rabbitmq
  let worker: Worker | undefined
  let neighbour: Worker | undefined
  let client: Client
  let queue: string
  let app: OfflineApp
  let ran: number[]

  beforeAll(async () => {
    broker = await startRabbitmq()
  })

  afterAll(async () => {
    await neighbour?.stop()
    await broker.dispose()
  })

  beforeEach(async () => {
    client = await Client.open(broker.url)
    queue = await client.queue()
    ran = []
    app = new OfflineApp('spec')
    app.task('spec.plain', { acksLate: true }, (n: number) => {
      ran.push(n)
    })
  })

  afterEach(async () => {
    await broker.ctl('set_vm_memory_high_watermark', '0.4')
    await worker?.stop()
    await client.close()
  })

  it('takes its messages all the same: that is what the broker is short of', async () => {
    neighbour = (await startWorker(new OfflineApp('other'), broker.url, await client.queue())).worker
    await client.publish(
      queue,
      Array.from({ length: 50 }, (_, n) => taskMessage('spec.plain', { args: [n] })),
    )
    await broker.ctl('set_vm_memory_high_watermark', '0.000001')
    const started = await startWorker(app, broker.url, queue, { worker_concurrency: 4 })
    worker = started.worker
    await waitFor(() => ran.length === 50, { what: 'the messages to be run' })
    await waitFor(async () => (await client.depth(queue)) === 0, { what: 'the queue to be empty' })
    expect(started.log.of('WARNING')).toContainEqual(expect.stringMatching(/^mingle: could not ask the neighbors: /))
  })

  it('takes those of the lanes of a fleet, which can agree on nothing meanwhile', async () => {
    const lanes = [0, 1, 2, 3].map((lane) => laneName(queue, lane))
    for (const lane of lanes) await client.declare(lane, { 'x-single-active-consumer': true })
    for (const [at, lane] of lanes.entries()) {
      await client.publish(
        lane,
        Array.from({ length: 10 }, (_, n) => taskMessage('spec.plain', { args: [10 * at + n] })),
      )
    }
    await broker.ctl('set_vm_memory_high_watermark', '0.000001')
    const fleet = { worker_concurrency: 4, worker_fleet_queues: [queue], worker_fleet_lanes: 4 }
    worker = (await startWorker(app, broker.url, queue, fleet)).worker
    await waitFor(() => ran.length === 40, { what: 'the messages to be run' })
    for (const lane of lanes)
      await waitFor(async () => (await client.depth(lane)) === 0, { what: `${lane} to be empty` })
  })
})

const later = (): string => new Date(Date.now() + 3000).toISOString()
