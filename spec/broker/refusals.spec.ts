import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { AmqpSession } from '../../lib/amqp/amqpSession.js'
import { systemClock } from '../../lib/clock.js'
import { callWorkers } from '../../lib/control/broadcast.js'
import { LamportClock } from '../../lib/protocol/lamport.js'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { connectionTo } from '../support/epoch.js'
import { startWorker } from '../support/inProcessWorker.js'
import { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.js'
import { randomQueue } from '../support/randomName.js'
import { isRabbitmq } from '../support/versions.js'
import { waitFor } from '../support/waitFor.js'

describe('a queue that the broker refuses', () => {
  let broker: Rabbitmq
  let client: Client
  let queue: string
  let app: OfflineApp
  let ran: unknown[]
  let worker: Worker | undefined
  let log: MemoryLog

  beforeAll(async () => {
    broker = await startRabbitmq()
  })

  afterAll(() => broker.dispose())

  beforeEach(async () => {
    client = await Client.open(broker.url)
    queue = await client.queue()
    ran = []
    app = new OfflineApp('spec')
    app.task('spec.note', { acksLate: true }, (name: unknown) => {
      ran.push(name)
    })
  })

  afterEach(async () => {
    await worker?.stop()
    await client.close()
  })

  async function start(queues: readonly string[], config: Record<string, unknown> = {}, url = broker.url) {
    const started = await startWorker(app, url, queues, config)
    ;({ log, worker } = started)
    return started.worker
  }

  /** Asks the worker over the broker. @returns undefined if there is no answer within `timeout` seconds */
  async function ask(method: string, args: Record<string, unknown>, timeout = 60): Promise<unknown> {
    const { connection, epochs } = await connectionTo(broker.url, new MemoryLog())
    try {
      await waitFor(() => epochs[0], { what: 'the connection' })
      const [epoch] = epochs
      if (!epoch || !worker) throw new Error('there is nobody to ask')
      const call = { method, arguments: args, destination: [worker.name] }
      const options = { timeout, clock: systemClock, lamport: new LamportClock(), log: new MemoryLog() }
      const [reply] = await callWorkers(new AmqpSession(epoch, options.log), call, options)
      return reply?.value
    } finally {
      await connection.stop()
    }
  }

  const note = (name: string) => taskMessage('spec.note', { args: [name] })

  async function runs(name: string, from = queue): Promise<void> {
    await client.publish(from, [note(name)])
    await waitFor(() => ran.includes(name), { what: `${name} to run` })
  }

  const errorsOf = (name: string): string[] => log.of('ERROR').filter((line) => line.includes(name))

  it('at the start keeps nothing from the others, is told, and makes the worker unready', async () => {
    const { readiness } = await start(['amq.forbidden', queue])
    await runs('other')
    expect(readiness).toEqual([expect.stringMatching(/^queue amq\.forbidden is not consumed: .*ACCESS.REFUSED/)])
    expect(errorsOf('amq.forbidden')).toEqual([
      expect.stringMatching(/^Can't consume from amq\.forbidden: .* Trying again in 5 seconds$/),
    ])
    expect(log.of('WARNING').filter((line) => line.includes('connection'))).toEqual([])
  })

  it('for want of a permission to read is consumed once that is given', async () => {
    const secret = await client.queue()
    await broker.ctl('add_user', 'narrow', 'narrow')
    await broker.ctl('set_permissions', 'narrow', '.*', '.*', `^(?!${secret}$).*`)
    await start([secret, queue], {}, broker.url.replace('guest:guest', 'narrow:narrow'))
    await runs('other')
    expect(worker?.readiness).toEqual([expect.stringContaining(`queue ${secret} is not consumed`)])
    await broker.ctl('set_permissions', 'narrow', '.*', '.*', '.*')
    await runs('secret', secret)
    await waitFor(() => worker?.readiness.length === 0, { what: 'the worker to be ready' })
    expect(log.of('INFO')).toContain(`Started consuming from ${secret}`)
    await runs('other again')
  })

  it('is tried again also if it was added by remote control, and nothing had come from it yet', async () => {
    const added = await client.queue()
    await broker.ctl('add_user', 'fickle', 'fickle')
    await broker.ctl('set_permissions', 'fickle', '.*', '.*', '.*')
    await start([queue], {}, broker.url.replace('guest:guest', 'fickle:fickle'))
    await ask('add_consumer', { queue: added })
    await waitFor(async () => (await client.consumers(added)) > 0, { what: 'a consumer' })
    await broker.ctl('set_permissions', 'fickle', `^(?!${added}$).*`, '.*', '.*')
    await broker.ctl('close_all_connections', 'spec')
    // It was cut like the others.
    client = await Client.open(broker.url)
    await waitFor(() => errorsOf(added).length > 0, { what: 'the refusal' })
    expect(errorsOf(added)).toEqual([expect.stringContaining('Trying again in 5 seconds')])
    await broker.ctl('set_permissions', 'fickle', '.*', '.*', '.*')
    await runs('late', added)
  })

  it('is purged before it is first consumed, and not with a later connection', async () => {
    const secret = await client.queue()
    await client.publish(secret, [note('old')])
    await broker.ctl('add_user', 'purging', 'purging')
    await broker.ctl('set_permissions', 'purging', '.*', '.*', `^(?!${secret}$).*`)
    const url = broker.url.replace('guest:guest', 'purging:purging')
    ;({ log, worker } = await startWorker(app, url, [secret, queue], {}, { purge: true }))
    const erased = (): string[] => log.of('WARNING').filter((line) => line.startsWith('purge: '))
    expect(erased()).toEqual(['purge: Erased 0 messages from the queue.'])
    await broker.ctl('set_permissions', 'purging', '.*', '.*', '.*')
    await waitFor(() => worker?.readiness.length === 0, { what: 'the worker to be ready' })
    await runs('new', secret)
    await broker.ctl('close_all_connections', 'spec')
    await waitFor(() => log.of('INFO').filter((line) => line.endsWith(' ready.')).length >= 2, {
      what: 'a second connection',
    })
    // It was cut like the others.
    client = await Client.open(broker.url)
    expect(erased()).toEqual(['purge: Erased 0 messages from the queue.', 'purge: Erased 1 message from the queue.'])
    expect(ran).toEqual(['new'])
  })

  it('is not what one is that is deleted with its last consumer: add_consumer takes what waits in it', async () => {
    await start([queue])
    const fleeting = randomQueue()
    await client.declare(fleeting, {}, { autoDelete: true })
    await client.publish(fleeting, [note('waiting')])
    await ask('add_consumer', { queue: fleeting })
    await runs('next', fleeting)
    expect(ran).toEqual(['waiting', 'next'])
    expect(log.of('WARNING').filter((line) => line.includes('was deleted'))).toEqual([])
  })

  it('for its exchange has a type that the broker does not have, costs the connection once at most', async () => {
    const odd = `${queue}.odd`
    await start([odd, queue], {
      task_queues: [{ name: odd, exchange: odd, exchange_type: 'nonsense', routing_key: odd }, { name: queue }],
    })
    await runs('other')
    // Before RabbitMQ 4 it ends the connection; from then on, a channel.
    const [next, connections] = (await isRabbitmq(4))
      ? ['Trying again in 5 seconds', 1]
      : ['Each attempt ends the connection, so it is not tried again', 2]
    expect(errorsOf(odd)).toEqual([expect.stringMatching(`unknown exchange type 'nonsense'.*${next}`)])
    expect(log.of('INFO').filter((line) => line.startsWith('Connected to '))).toHaveLength(connections)
    expect(worker?.readiness).toEqual([expect.stringContaining(`queue ${odd} is not consumed`)])
  })

  for (const [what, args] of [
    ['reserved', { queue: 'amq.added' }],
    ['of a type that is not there', { exchange_type: 'nonsense' }],
    ['of arguments that are not right', { queue_arguments: { 'x-max-length': 'many' } }],
  ] as const) {
    it(`${what} is refused in the answer to add_consumer, and forgotten`, async () => {
      const { readiness } = await start([queue])
      const name = 'queue' in args ? args.queue : `${queue}.${what.length}`
      expect(await ask('add_consumer', { ...args, queue: name })).toEqual({
        error: expect.stringContaining(`Can't consume from ${name}: `),
      })
      // The broker answers some of these by closing the connection, and until the next one nobody hears a question.
      let active: unknown
      await waitFor(
        async () => {
          active = await ask('active_queues', {}, 5)
          return active !== undefined
        },
        { what: 'the worker to answer' },
      )
      expect(active).toMatchObject([{ name: queue }])
      await runs('before')
      await broker.ctl('close_all_connections', 'spec')
      await waitFor(() => log.of('INFO').filter((line) => line.endsWith(' ready.')).length >= 2, {
        what: 'a second connection',
      })
      // It was cut like the others.
      client = await Client.open(broker.url)
      await runs('after')
      expect(readiness).toEqual([])
      // A connection that was made meanwhile may be cut as well.
      expect(errorsOf('Trying again').filter((line) => !line.includes(' was closed.'))).toEqual([])
    })
  }
})
