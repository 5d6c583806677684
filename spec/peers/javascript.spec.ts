import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Celery } from 'celeriac'
import celeryNode from 'celery-node'
import { Client } from '../support/client.js'
import { killAllPrograms } from '../support/program.js'
import { brokerUrl, redisUrl } from '../support/services.js'
import { startWorkerProgram } from '../support/workerProgram.js'

/** celery-node polls; the shorter, the sooner the spec is done. */
const POLL_MS = 20
const TIMEOUT_MS = 120_000

async function workerWith(client: Client, backend: string): Promise<string> {
  const queue = await client.queue()
  await startWorkerProgram({
    brokerUrl: brokerUrl(),
    app: 'build/apps/peers.js',
    args: ['-Q', queue],
    env: { CELERY_RESULT_BACKEND: backend },
  })
  return queue
}

describe('celery-node as the client', () => {
  let client: Client
  let node: ReturnType<typeof celeryNode.createClient>

  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    const queue = await workerWith(client, redisUrl())
    // celery-node takes the URL's last slash for an empty virtual host.
    // Its amqplib asks for frames of 4 KiB, which RabbitMQ refuses from 4.1 on.
    node = celeryNode.createClient(`${brokerUrl().replace(/\/\/$/, '')}?frameMax=131072`, redisUrl(), queue)
    await node.isReady()
  })

  afterAll(async () => {
    await node.disconnect()
    await killAllPrograms()
    await client.close()
  })

  const send = (task: string, args: unknown[] = [], kwargs: object = {}): Promise<unknown> =>
    node.sendTask(task, args, kwargs).get(TIMEOUT_MS, POLL_MS)

  it.each([1, 2])('gets results of messages in protocol %s', async (protocol) => {
    node.conf.TASK_PROTOCOL = protocol
    const values = [null, 1.5, 'é 🥕', [1, [2]], { a: { b: null } }]
    expect(await Promise.all(values.map((value) => send('peers.echo', [value])))).toEqual(values)
    expect(await send('peers.add', [1], { y: 5 })).toBe(6)
    expect(await send('peers.flaky', [2])).toBe(2)
  })

  it.each([1, 2])('may leave out the keyword arguments, which it sends as null, in protocol %s', async (protocol) => {
    node.conf.TASK_PROTOCOL = protocol
    const sent = (node.sendTask as (task: string, args: unknown[]) => ReturnType<typeof node.sendTask>)(
      'peers.echo',
      [7],
    )
    expect(await sent.get(TIMEOUT_MS, POLL_MS)).toBe(7)
  })

  it('is told of failures', async () => {
    node.conf.TASK_PROTOCOL = 2
    await expect(send('peers.fail', ['TypeError', 'boom'])).rejects.toMatchObject({
      exc_type: 'TypeError',
      exc_message: ['boom'],
    })
    await expect(send('peers.stubborn')).rejects.toMatchObject({ exc_type: 'TimeLimitExceeded' })
    await expect(send('peers.nobody')).rejects.toMatchObject({ exc_type: 'NotRegistered' })
  })
})

describe.each(['redis', 'rpc'])('our own client over %s', (kind) => {
  let client: Client
  let app: Celery
  let queue: string

  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    const backend = kind === 'redis' ? redisUrl() : 'rpc://'
    queue = await workerWith(client, backend)
    app = new Celery('spec', { broker_url: brokerUrl(), result_backend: backend, task_default_queue: queue })
  })

  afterAll(async () => {
    await app.close()
    await killAllPrograms()
    await client.close()
  })

  it('gets results, of values that JSON has no form for too', async () => {
    const values = [
      null,
      'é 🥕',
      { a: [1.5] },
      2n ** 60n + 1n,
      new Date('2026-11-24T08:45:11.995Z'),
      Buffer.from([0, 255]),
    ]
    const results = await Promise.all(values.map((value) => app.sendTask('peers.echo', [value])))
    expect(await Promise.all(results.map((result) => result.get({ timeout: 120 })))).toEqual(values)
  })

  it('gets failures as errors with the name and text that they had', async () => {
    const result = await app.sendTask('peers.fail', ['PaymentError', 'boom'])
    await expect(result.get({ timeout: 120 })).rejects.toMatchObject({ name: 'PaymentError', message: 'boom' })
  })

  it('gives up after its timeout', async () => {
    const result = await app.sendTask('peers.echo', [1], {}, { countdown: 60 })
    await expect(result.get({ timeout: 0.2 })).rejects.toMatchObject({ name: 'TimeoutError' })
  })
})
