import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { type ChannelModel, connect } from 'amqplib'
import { DELAY_LEVELS, DELIVERY_EXCHANGE, levelName } from '../../lib/protocol/delay.js'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { OfflineApp } from '../support/offlineLine.js'
import { PYTHON } from '../support/peers.js'
import { runProgram } from '../support/program.js'
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.js'
import { waitFor } from '../support/waitFor.js'

const SEND = `
import sys, celery, kombu
url, queue = sys.argv[1:]
app = celery.Celery(broker=url)
app.conf.task_queues = [kombu.Queue(queue, kombu.Exchange(''), queue, queue_arguments={'x-queue-type': 'quorum'})]
app.conf.task_default_exchange_type = 'topic'
app.send_task('spec.soon', (), queue=queue, countdown=1)
`

/** Celery 5.5 and later publish a countdown for a quorum queue through exchanges that they trust a worker to have declared. */
describe('a broker on which no worker of Python has ever run', () => {
  let broker: Rabbitmq
  let client: Client
  let connection: ChannelModel
  let worker: Worker | undefined

  beforeAll(async () => {
    broker = await startRabbitmq()
    client = await Client.open(broker.url)
    connection = await connect(broker.url)
  })

  afterEach(async () => {
    await worker?.stop()
    worker = undefined
  })

  afterAll(async () => {
    await connection.close()
    await client.close()
    await broker.dispose()
  })

  async function hasExchange(name: string): Promise<boolean> {
    const channel = await connection.createChannel()
    channel.on('error', () => undefined)
    return channel.checkExchange(name).then(
      () => channel.close().then(() => true),
      () => false,
    )
  }

  async function start(queue: string): Promise<number[]> {
    const ran: number[] = []
    const app = new OfflineApp('spec')
    app.task('spec.soon', () => {
      ran.push(Date.now())
    })
    worker = (await startWorker(app, broker.url, queue)).worker
    return ran
  }

  it('gets no delay queues by a worker of classic queues', async () => {
    await start(await client.queue())
    expect(await hasExchange(levelName(0))).toBe(false)
  })

  it('has all of them once a worker that consumes from a quorum queue is ready, so that a countdown of Python arrives', async () => {
    const queue = await client.queue({ 'x-queue-type': 'quorum' })
    const ran = await start(queue)
    for (let level = 0; level < DELAY_LEVELS; level++) expect(await hasExchange(levelName(level))).toBe(true)
    expect(await hasExchange(DELIVERY_EXCHANGE)).toBe(true)
    const sent = Date.now()
    const python = runProgram(PYTHON, ['-c', SEND, broker.url, queue])
    expect([(await python.exited).code, python.stderr]).toEqual([0, ''])
    await waitFor(() => ran.length > 0, { timeoutMs: 20_000, what: 'the task to run' })
    expect(ran[0]).toBeGreaterThanOrEqual(sent + 1000)
  })
})
