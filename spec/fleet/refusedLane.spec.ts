import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type ChannelModel, connect } from 'amqplib'
import { laneName, laneOf } from '../../lib/fleet/laneOf.js'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

const LANES = 2
const COUNT = 40

describe('a lane that the broker refuses to let anybody consume', () => {
  let client: Client
  let other: ChannelModel
  let queue: string
  let worker: Worker | undefined

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    other = await connect(brokerUrl())
  })

  afterEach(async () => {
    await worker?.stop()
    worker = undefined
    await other.close()
    for (let lane = 0; lane < LANES; lane++) await client.deleteQueue(laneName(queue, lane))
    await client.deleteQueue(`${queue}.lanes`)
    await client.deleteExchange(`${queue}.fleet`)
    await client.close()
  })

  it('is tried again until it is given, and keeps nothing from the other lanes', async () => {
    // Without a single active consumer: somebody may have it alone.
    await client.declare(laneName(queue, 0))
    const channel = await other.createChannel()
    await channel.prefetch(1)
    await channel.consume(laneName(queue, 0), () => undefined, { exclusive: true })
    const ran = new Map<string, number[]>()
    const count = (): number => [...ran.values()].flat().length
    const app = new OfflineApp('spec')
    app.task('spec.keyed', { orderBy: 'kwargs.key', params: ['key', 'n'] }, async (key: string, n: number) => {
      ran.set(key, [...(ran.get(key) ?? []), n])
    })
    const messages = Array.from({ length: COUNT }, (_, n) => ({ key: `k${n % 8}`, n }))
    await client.publish(
      queue,
      messages.map(({ key, n }) => taskMessage('spec.keyed', { args: [key, n] })),
    )
    const started = await startWorker(app, brokerUrl(), queue, {
      worker_fleet_queues: queue,
      worker_fleet_lanes: LANES,
      without_mingle: true,
    })
    worker = started.worker
    const { log } = started
    const refused = (): string[] => log.of('WARNING').filter((line) => line.includes('Lane 0 could not be taken'))
    await waitFor(() => refused().length > 0, { what: 'the lane to be refused' })
    expect(refused()[0]).toMatch(/ACCESS_REFUSED.*Trying again/s)
    const elsewhere = messages.filter(({ key }) => laneOf(key, LANES) !== 0).length
    await waitFor(() => count() === elsewhere, { what: 'the other lane to be empty' })
    await channel.close()
    await waitFor(() => count() === COUNT, { what: 'the lane to be given' })
    for (const [key, numbers] of ran) {
      expect(numbers).toEqual(messages.filter((message) => message.key === key).map(({ n }) => n))
    }
  })
})
