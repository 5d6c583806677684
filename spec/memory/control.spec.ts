import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Broker } from '../../lib/broker/broker.js'
import { systemClock } from '../../lib/clock.js'
import { callWorkers, tellWorkers } from '../../lib/control/broadcast.js'
import { LamportClock } from '../../lib/protocol/lamport.js'
import { loadSettings } from '../../lib/settings/load.js'
import { createBroker } from '../../lib/worker/brokers.js'
import { MemoryLog } from '../support/memoryLog.js'
import { MemoryWorker } from '../support/memoryWorker.js'
import { Gated } from '../support/offlineLine.js'
import { waitFor } from '../support/waitFor.js'

describe('remote control and events on memory://', () => {
  let here: MemoryWorker
  let gate: Gated
  let broker: Broker
  const log = new MemoryLog()

  beforeEach(async () => {
    gate = new Gated()
    here = await MemoryWorker.start((app) => app.task('run', (name: string) => gate.run(name)), {
      config: { worker_concurrency: 2, worker_send_task_events: true },
    })
    const { settings } = loadSettings({ config: { broker_url: here.brokerUrl }, env: {}, flags: {} })
    broker = createBroker({ settings, clock: systemClock, log: () => log })
  })

  afterEach(() => here.stop())

  const ask = async (method: string, args: Record<string, unknown> = {}): Promise<unknown> => {
    const call = { method, arguments: args, destination: [here.worker.name] }
    const options = { clock: systemClock, lamport: new LamportClock(), timeout: 60, log }
    const [reply] = await broker.session((session) => callWorkers(session, call, options))
    return reply?.value
  }

  it.each([
    ['threads', 1],
    ['async', 0],
  ])('warns of children, which have a memory of their own: -P %s', (worker_pool, warnings) => {
    const { settings } = loadSettings({ config: { broker_url: here.brokerUrl, worker_pool }, env: {}, flags: {} })
    const own = new MemoryLog()
    createBroker({ settings, clock: systemClock, nodename: 'w@spec', log: () => own })
    expect(own.of('WARNING')).toHaveLength(warnings)
  })

  it('answers ping', async () => {
    expect(await ask('ping')).toEqual({ ok: 'pong' })
  })

  it('answers a command that its app defines while it runs', async () => {
    expect(await ask('stock')).toMatchObject({ error: expect.stringContaining('stock') })
    here.app.inspectCommand('stock', { args: { sku: 'text' }, help: 'Pieces in stock.', run: ({ sku }) => [sku, 3] })
    expect(await ask('stock', { sku: 'lamp' })).toEqual(['lamp', 3])
    expect(await ask('stock')).toMatchObject({ error: expect.stringContaining("'sku'") })
  })

  it('tells its queues, takes one more and leaves it again', async () => {
    const names = async (): Promise<string[]> =>
      ((await ask('active_queues')) as Array<{ name: string }>).map(({ name }) => name)
    expect(await names()).toEqual(['celery'])
    await ask('add_consumer', { queue: 'more' })
    expect(await names()).toEqual(['celery', 'more'])
    await here.app.sendTask('run', ['in more'], {}, { queue: 'more' })
    await waitFor(() => gate.started.includes('in more'), { what: 'the task of the new queue' })
    gate.end('in more')
    await ask('cancel_consumer', { queue: 'more' })
    expect(await names()).toEqual(['celery'])
  })

  it('says the bounds of the autoscaler that hold: the least is one slot', async () => {
    await here.stop()
    const { brokerUrl } = here
    here = await MemoryWorker.start(() => undefined, { brokerUrl, config: { worker_autoscale: '4,2' } })
    expect(await ask('autoscale', { min: 0 })).toEqual({ ok: 'autoscale now max=4 min=1' })
    expect(await ask('autoscale')).toEqual({ ok: 'autoscale now max=4 min=1' })
  })

  it('tells what runs and what its broker is', async () => {
    await here.app.sendTask('run', ['one'])
    await waitFor(() => gate.started.length === 1, { what: 'the task' })
    expect(await ask('active')).toEqual([expect.objectContaining({ name: 'run', args: ['one'] })])
    expect(await ask('stats')).toMatchObject({ broker: { transport: 'memory' } })
    gate.end('one')
  })

  it('revokes', async () => {
    await ask('revoke', { task_id: 'doomed' })
    const sent = await here.app.sendTask('run', ['never'], {}, { taskId: 'doomed' })
    await expect(sent.get({ timeout: 60 })).rejects.toMatchObject({ excType: 'TaskRevokedError' })
    expect(gate.started).toEqual([])
  })

  it('is shut down', async () => {
    await broker.session(async (session) => {
      await tellWorkers(
        session,
        { method: 'shutdown' },
        { clock: systemClock, lamport: new LamportClock(), timeout: 0 },
      )
    })
    expect(await here.worker.ended).toEqual({ code: 0 })
  })

  it('tells of tasks in events', async () => {
    const types: string[] = []
    const hearing = broker.session(async (session) => {
      await session.hearEvents('#', {
        onMessage: (content) => {
          for (const { type } of [JSON.parse(content.toString())].flat()) types.push(type)
        },
        onUnreadable: () => undefined,
      })
      const sent = await here.app.sendTask('run', ['one'])
      await waitFor(() => gate.started.length === 1, { what: 'the task' })
      gate.end('one')
      await sent.get({ timeout: 60 })
      await waitFor(() => types.includes('task-succeeded'), { what: 'the last event' })
    })
    await hearing
    expect(types.filter((type) => type.startsWith('task-'))).toEqual([
      'task-received',
      'task-started',
      'task-succeeded',
    ])
  })

  it('greets another worker, which learns what is revoked', async () => {
    await ask('revoke', { task_id: 'doomed' })
    const other = await MemoryWorker.start(() => undefined, { brokerUrl: here.brokerUrl })
    expect(other.log.of('INFO')).toContain('mingle: sync with 1 nodes')
    expect(other.worker.line.revoked.has('doomed')).toBe(true)
    await other.stop()
  })
})
