import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { BreakerOpen } from '../../lib/breaker.js'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import type { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { killAllPrograms } from '../support/program.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

const OPTIONS = { volumeThreshold: 3, windowMs: 1000, resetTimeoutMs: 200 }

describe('a worker whose tasks need a service', () => {
  let client: Client
  let queue: string
  let app: OfflineApp
  let worker: Worker | undefined
  let log: MemoryLog
  let isAway: boolean
  let calls: number
  /** Runs that got their answer. */
  let done: number[]
  let plain: number

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    isAway = true
    calls = 0
    done = []
    plain = 0
    app = new OfflineApp('spec')
    const service = app.breaker(
      'service',
      async () => {
        calls++
        if (isAway) throw new Error('the service is away')
      },
      OPTIONS,
    )
    const handler = async (n: number, _key = ''): Promise<void> => {
      await service()
      done.push(n)
    }
    const again = { autoretryFor: [Error], retryKwargs: { countdown: 0.05 }, maxRetries: null }
    app.task('spec.call', { ...again, acksLate: true, pauseWhileOpen: 'service' }, handler)
    app.task('spec.keyed', { ...again, pauseWhileOpen: 'service', orderBy: 'args.1' }, handler)
    app.task('spec.plain', async (_n: number) => {
      // Long enough for the controller to see a backlog that it would open slots for.
      await new Promise((resolve) => setTimeout(resolve, 100))
      plain++
    })
  })

  afterEach(async () => {
    await worker?.stop()
    await killAllPrograms()
    await client.close()
  })

  const start = async (config: Record<string, unknown> = {}): Promise<Worker> => {
    const settings = { worker_autoscale: '16,2', worker_autoscale_interval: 0.1, ...config }
    const started = await startWorker(app, brokerUrl(), queue, settings)
    worker = started.worker
    log = started.log
    return worker
  }
  const messages = (task: string, count: number, key?: string) =>
    Array.from({ length: count }, (_, n) => taskMessage(task, { args: key === undefined ? [n] : [n, key] }))
  const state = (): string | undefined => app.breakers.get('service')?.state

  it('parks them while it is away, runs the others with the slots it has, and runs them all once it is back', async () => {
    const { breakers, line } = await start()
    const [first, ...others] = messages('spec.call', 60)
    await client.publish(queue, first ? [first] : [])
    await waitFor(() => state() === 'open', { what: 'the breaker to be open' })
    await client.publish(queue, others)
    await waitFor(() => line.state.parked === 60, { what: 'all of them to be parked' })
    const callsBefore = calls
    await client.publish(queue, messages('spec.plain', 30))
    await waitFor(() => plain === 30, { what: 'the others to have run' })
    expect(line.pool.size).toBe(2)
    expect(log.of('INFO').filter((text) => text.includes('caling up'))).toEqual([
      'Not scaling up from 2 slots: breaker service is open',
    ])
    expect([...breakers].map(({ name }) => name)).toEqual(['results', 'publisher', 'service'])
    expect([...breakers][2]).toMatchObject({ opens: expect.any(Number), lastError: 'the service is away' })
    expect(worker?.readiness).toEqual([])
    // One try each time that the breaker is half open, and none else.
    const tries = calls - callsBefore
    expect(tries).toBeGreaterThan(2)
    expect(tries).toBeLessThanOrEqual(app.breakers.get('service')?.opens ?? 0)

    isAway = false
    await waitFor(() => done.length === 60, { what: 'all of them to have run' })
    expect(new Set(done).size).toBe(60)
    expect(state()).toBe('closed')
    await waitFor(() => line.state.requests.size === 0, { what: 'the last to be settled' })
    expect(log.of('ERROR')).toEqual([])
    expect(log.of('WARNING')[0]).toBe('Breaker service is open: the service is away')
    expect(log.of('INFO').filter((text) => text === 'Breaker service is closed again')).toHaveLength(1)
  })

  it('keeps the order of a key through the outage', async () => {
    const { line } = await start({ worker_autoscale: null, worker_concurrency: 8 })
    await client.publish(queue, messages('spec.keyed', 20, 'build-1'))
    await waitFor(() => state() !== 'closed' && line.state.parked === 20, {
      what: 'all of them to be parked',
    })
    isAway = false
    await waitFor(() => done.length === 20, { what: 'all of them to have run' })
    expect(done).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })

  it('gives them back when it stops meanwhile, in order', async () => {
    const { line, stop } = bound(await start({ worker_autoscale: null, worker_concurrency: 4 }))
    const call = app.breakers.get('service')
    await client.publish(queue, messages('spec.call', 4))
    await waitFor(() => call?.state === 'open', { what: 'the breaker to be open' })
    await client.publish(queue, messages('spec.keyed', 20, 'build-1'))
    await waitFor(() => line.state.parked === 24, { what: 'all of them to be parked' })
    await stop()
    const left = (await client.take(queue)).map((content) => JSON.parse(content.toString())[0] as unknown[])
    expect(left).toHaveLength(24)
    expect(left.filter(([, key]) => key === 'build-1').map(([n]) => n)).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })

  it.each(['threads', 'prefork'])(
    'counts the calls of all children of the %s pool, and pauses tasks by that',
    async (pool) => {
      const program = await startWorkerProgram({
        brokerUrl: brokerUrl(),
        app: 'build/apps/service.js',
        args: ['-Q', queue, '-P', pool, '-c', '2'],
        env: { SPEC_RESET_MS: '1000' },
      })
      await client.publish(
        queue,
        [true, true, true, true].map((isAway) => taskMessage('service.call', { args: [isAway] })),
      )
      await program.waitForOutput(/Breaker service is open: the service of amqp:\/\/me:\*\*@host is away/)
      await client.publish(queue, [taskMessage('service.paused', { id: 'paused' })])
      await program.waitForOutput(/Task service\.paused\[paused\] succeeded/)
      const lines = [
        'service.paused[paused] received',
        'Breaker service is half open',
        'service.paused[paused] succeeded',
      ]
      const places = lines.map((line) => program.output.indexOf(line))
      expect(places.filter((place) => place < 0)).toEqual([])
      expect(places).toEqual(places.toSorted((one, other) => one - other))
      await client.publish(queue, [taskMessage('service.call', { args: [false] })])
      await program.waitForOutput(/Breaker service is closed again/)
    },
  )

  it('tells its tasks that a call was not tried', async () => {
    let thrown: unknown
    const call = app.breaker('other', async () => Promise.reject(new Error('away')), { volumeThreshold: 1 })
    app.task('spec.other', async (_n: number) => {
      await call().catch(() => undefined)
      await call().catch((error) => {
        thrown = error
      })
    })
    await start()
    await client.publish(queue, messages('spec.other', 1))
    await waitFor(() => thrown !== undefined, { what: 'the second call to fail' })
    expect(thrown).toBeInstanceOf(BreakerOpen)
  })

  it('shows that what it publishes is refused, and that it goes on when the broker takes it', async () => {
    const full = await client.queue({ 'x-max-length': 1, 'x-overflow': 'reject-publish' })
    const { breakers, readiness } = views(await start())
    await client.publish(full, messages('spec.call', 1))
    const sent = app.sendTask('spec.call', [1], {}, { exchange: '', routingKey: full })
    await waitFor(() => publisher(breakers)?.state === 'open', { what: 'the refusal' })
    expect(publisher(breakers)).toEqual({
      name: 'publisher',
      state: 'open',
      opens: 1,
      lastError: 'the broker refused the message',
    })
    expect(readiness()).toEqual(['messages wait: the broker accepts none'])
    expect(await client.take(full)).toHaveLength(1)
    await sent
    expect(publisher(breakers)?.state).toBe('closed')
    expect(readiness()).toEqual([])
    expect(log.of('WARNING').filter((text) => text.startsWith('publisher:'))).toHaveLength(1)
  })
})

const bound = (worker: Worker) => ({ line: worker.line, stop: () => worker.stop() })
const views = (worker: Worker) => ({ breakers: worker.breakers, readiness: () => worker.readiness })
const publisher = (breakers: Worker['breakers']) => [...breakers].find(({ name }) => name === 'publisher')
