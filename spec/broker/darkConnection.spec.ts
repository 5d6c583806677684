import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { TaskContext } from '../../lib/app/context.js'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { type Link, openLink } from '../support/link.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { ownBroker } from '../support/ownBroker.js'
import { killAllPrograms } from '../support/program.js'
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.js'
import { ended, readSteps } from '../support/steps.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

/** Seconds: after two of them without a sign the broker gives the messages out again. */
const HEARTBEAT = 2

describe('a connection that is lost on our side alone', () => {
  let broker: Rabbitmq
  let client: Client
  let link: Link
  let worker: Worker | undefined
  let seen: string[]

  beforeAll(async () => {
    broker = await startRabbitmq()
  })

  afterAll(() => broker.dispose())

  beforeEach(async () => {
    seen = []
    client = await Client.open(broker.url)
    link = await openLink(broker.port)
  })

  afterEach(async () => {
    await worker?.stop()
    await link.close()
    await client.close()
  })

  const url = (): string => {
    const through = new URL(broker.url)
    through.port = String(link.port)
    return through.href
  }

  /** A start lasts until it is told to stop, the first time that it runs. */
  function events(options: { readonly orderBy?: string }): OfflineApp {
    const app = new OfflineApp('spec')
    app.task(
      'start',
      { bind: true, acksLate: true, ...options, params: ['key'] },
      async (self: TaskContext, _key: string) => {
        const isFirst = !seen.includes('start')
        seen.push('start')
        if (isFirst && !self.signal.aborted) await once(self.signal, 'abort')
        seen.push('started')
      },
    )
    app.task('end', { ...options, params: ['key'] }, (_key: string) => {
      seen.push('end')
    })
    return app
  }

  it('lets nothing of a key overtake what the broker still holds, and says that it waits', async () => {
    const queue = await client.queue()
    const started = await startWorker(events({ orderBy: 'kwargs.key' }), url(), queue, {
      broker_heartbeat: HEARTBEAT,
      worker_concurrency: 1,
    })
    worker = started.worker
    const { log } = started
    const kwargs = { key: 'k' }
    await client.publish(queue, [taskMessage('start', { kwargs }), taskMessage('end', { kwargs })])
    await waitFor(() => seen.length === 1, { what: 'the start to run' })
    link.forget()
    await waitFor(() => log.of('WARNING').some((line) => line.startsWith('The broker has not noticed yet')), {
      what: 'the worker to say that it waits',
    })
    expect(worker.readiness).toEqual(['it takes no messages: the broker still holds those of the last connection'])
    await waitFor(() => seen.includes('end'), { what: 'the end to run' })
    expect(seen).toEqual(['start', 'started', 'start', 'started', 'end'])
    expect(worker.readiness).toEqual([])
  })

  it('waits for nothing where no task has an order to keep', async () => {
    const queue = await client.queue()
    const started = await startWorker(events({}), url(), queue, { broker_heartbeat: HEARTBEAT, worker_concurrency: 1 })
    worker = started.worker
    const kwargs = { key: 'k' }
    await client.publish(queue, [taskMessage('end', { kwargs })])
    await waitFor(() => seen.length === 1, { what: 'the task to run' })
    link.forget()
    await waitFor(() => started.log.of('INFO').filter((line) => line.endsWith(' ready.')).length === 2, {
      what: 'the worker to consume again',
    })
    expect(started.log.of('WARNING').some((line) => line.startsWith('The broker has not noticed yet'))).toBe(false)
  })

  it('is noticed also where the first key came in a header, with nothing set', async () => {
    const queue = await client.queue()
    const started = await startWorker(events({}), url(), queue, { broker_heartbeat: HEARTBEAT, worker_concurrency: 1 })
    worker = started.worker
    const message = (task: string) => taskMessage(task, { kwargs: { key: 'k' }, headers: { order_key: 'k' } })
    await client.publish(queue, [message('start'), message('end')])
    await waitFor(() => seen.length === 1, { what: 'the start to run' })
    const names = (): Promise<string> => broker.ctl('list_queues', '-q', 'name')
    await waitFor(async () => /^w@.*\.celeriac$/m.test(await names()), { what: 'the broker to have the witness' })
    link.forget()
    await waitFor(() => seen.includes('end'), { what: 'the end to run' })
    expect(seen).toEqual(['start', 'started', 'start', 'started', 'end'])
  })
})

describe('a worker that is stopped for longer than the heartbeat', () => {
  const broker = ownBroker()
  let dir: string

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'celeriac-spec-'))
  })

  afterAll(async () => {
    await killAllPrograms()
    await rm(dir, { recursive: true })
  })

  it('begins nothing of what the broker has given to others meanwhile', async () => {
    const trace = join(dir, 'steps.jsonl')
    const client = await Client.open(broker())
    const queue = await client.queue()
    const options = { brokerUrl: `${broker()}?heartbeat=${HEARTBEAT}`, args: ['-Q', queue, '-c', '4'] }
    const stopped = await startWorkerProgram({ ...options, env: { STEPS_TRACE: trace } })
    stopped.kill('SIGSTOP')
    const count = 3
    await client.publish(
      queue,
      Array.from({ length: count }, (_, n) => taskMessage('steps.loose', { kwargs: { n, ms: 1 } })),
    )
    // All of them are on their way to the one that is stopped.
    await waitFor(async () => (await client.depth(queue)) === 0, { what: 'the messages to be delivered' })
    await startWorkerProgram({ ...options, env: { STEPS_TRACE: trace } })
    await waitFor(() => ended(readSteps(trace)).size === count, { what: 'the other worker to run them' })
    stopped.kill('SIGCONT')
    await stopped.waitForOutput(/ ready\.[\s\S]* ready\./)
    expect(readSteps(trace).filter(({ event }) => event === 'begin')).toHaveLength(count)
    await client.close()
  })
})
