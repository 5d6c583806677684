import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { Celery } from '../../lib/celery.js'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { ping } from '../support/pinger.js'
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.js'
import { RawClient } from '../support/rawClient.js'
import { jsonProperties, type RawValue, short, taskHeaders, text } from '../support/rawTable.js'
import { waitFor } from '../support/waitFor.js'

const LARGEST = 1_000_000

describe('what can never be sent', () => {
  let broker: Rabbitmq
  let client: Client
  let queue: string
  let worker: Worker | undefined

  beforeAll(async () => {
    broker = await startRabbitmq({ conf: `max_message_size = ${LARGEST}` })
    client = await Client.open(broker.url)
  })

  afterEach(async () => {
    await worker?.stop()
    worker = undefined
  })

  afterAll(async () => {
    await client.close()
    await broker.dispose()
  })

  async function start(): Promise<Awaited<ReturnType<typeof startWorker>>> {
    queue = await client.queue()
    const app = new OfflineApp('spec') as unknown as Celery
    app.task('spec.retries', { bind: true, maxRetries: 3, acksLate: true }, (self) => {
      throw self.retry({ countdown: 0 })
    })
    app.task('spec.large', { acksLate: true }, (size: number) => 'x'.repeat(size))
    const started = await startWorker(app, broker.url, queue, { result_backend: 'rpc://' })
    worker = started.worker
    return started
  }

  /** What a client is told of its task. */
  async function result(
    message: ReturnType<typeof taskMessage>,
    more: Readonly<Record<string, RawValue>> = {},
  ): Promise<{ status: string; result: unknown }> {
    const replyTo = await client.queue()
    const raws = await RawClient.open(broker.url)
    const { id = '', task = '' } = message.properties.headers as { id?: string; task?: string }
    const properties = jsonProperties({ ...taskHeaders(task, id), ...more })
    raws.publish({ routingKey: queue, properties: { ...properties, replyTo: short(replyTo) }, body: message.content })
    expect(await raws.settled()).toBe(1)
    await raws.close()
    let last: { status: string; result: unknown } = { status: 'PENDING', result: null }
    await waitFor(
      async () => {
        for (const content of await client.take(replyTo)) last = JSON.parse(content.toString())
        return ['SUCCESS', 'FAILURE'].includes(last.status)
      },
      { what: 'the result' },
    )
    return last
  }

  it('fails the task whose retry it is, with the reason, and no other', async () => {
    const { worker, log } = await start()
    // Larger than what the client in the worker writes, smaller than what the broker takes.
    expect(await result(taskMessage('spec.retries'), { note: text('x'.repeat(70_000)) })).toMatchObject({
      status: 'FAILURE',
      result: { exc_type: 'BrokerError', exc_message: [expect.stringContaining("the message can't be sent")] },
    })
    expect(await result(taskMessage('spec.large', { args: [5] }))).toMatchObject({ status: 'SUCCESS', result: 'xxxxx' })
    expect(worker.line.state.endings).toEqual(
      new Map([
        ['failed', 1],
        ['succeeded', 1],
      ]),
    )
    expect(log.of('ERROR')).toEqual([expect.stringContaining('raised unexpected: BrokerError')])
    await worker.stop()
    expect(await client.depth(queue)).toBe(0)
  })

  it('makes a failure of a result that is larger than the broker takes', async () => {
    const { worker } = await start()
    expect(await result(taskMessage('spec.large', { args: [2 * LARGEST] }))).toMatchObject({
      status: 'FAILURE',
      result: { exc_type: 'BrokerError', exc_message: [expect.stringContaining('406')] },
    })
    expect(await result(taskMessage('spec.large', { args: [5] }))).toMatchObject({ status: 'SUCCESS' })
    expect(worker.readiness).toEqual([])
  })

  it('drops the reply to whom it cannot be sent, and answers all others', async () => {
    const { worker, log } = await start()
    const raws = await RawClient.open(broker.url)
    const [nodename = ''] = log.of('INFO').flatMap((line) => /^(\S+) ready\.$/.exec(line)?.[1] ?? [])
    const asks = (ticket: string, exchange: string, routing_key: string): void => {
      const body = Buffer.from(JSON.stringify({ method: 'ping', ticket, reply_to: { exchange, routing_key } }))
      raws.publish({ exchange: 'celery.pidbox', routingKey: '', properties: jsonProperties({}), body })
    }
    const id = randomUUID()
    const dropped = (): string[] => log.of('WARNING').filter((line) => line.startsWith('pidbox: a reply was dropped'))
    const kinds = [
      [id, 'amq.rabbitmq.trace', 'x'],
      [id, 'reply.celery.pidbox', 'x'.repeat(256)],
      ['x'.repeat(70_000), 'reply.celery.pidbox', 'x'],
      [id, `no-such-exchange-${id}`, 'x'],
    ] as const
    for (const [n, [ticket, exchange, key]] of kinds.entries()) {
      asks(ticket, exchange, key)
      await waitFor(() => dropped().length === n + 1, { what: `reply ${n} to be dropped` })
    }
    await raws.close()
    await ping(broker.url, nodename, 3)
    expect(await result(taskMessage('spec.large', { args: [5] }))).toMatchObject({ status: 'SUCCESS' })
    expect(worker.readiness).toEqual([])
  })
})
