import { beforeEach, describe, expect, it } from '@jest/globals'
import { Celery, type TaskContext } from '../../lib/index.js'
import { testWorker } from '../../lib/testing/testWorker.js'
import { FakeDelivery } from '../support/fakeDelivery.js'
import { MemoryBackend } from '../support/memoryBackend.js'
import { taskMessage } from '../support/message.js'
import { Gated, OfflineApp, OfflineLine } from '../support/offlineLine.js'

describe('a message that came again, while the backend is asked whether its task has succeeded', () => {
  let gated: Gated
  let backend: MemoryBackend
  let offline: OfflineLine
  let delivery: FakeDelivery
  let answer: () => void

  beforeEach(async () => {
    const app = new OfflineApp('spec')
    gated = new Gated()
    app.task('late', { acksLate: true }, gated.run)
    backend = new MemoryBackend()
    const stored = backend.get.bind(backend)
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    const slow = Object.assign(Object.create(backend) as MemoryBackend, {
      get: (id: string) => answered.then(() => stored(id)),
    })
    offline = new OfflineLine(app, { backend: slow, config: { worker_deduplicate_successful_tasks: true } })
    const { properties, content } = taskMessage('late', { id: 'x', args: ['x'] })
    delivery = Object.assign(new FakeDelivery(properties, content), { redelivered: true })
    offline.deliverRaw(delivery)
    await offline.turn()
  })

  async function answered(): Promise<void> {
    answer()
    await offline.turn()
  }

  it('runs if nothing has happened meanwhile', async () => {
    await answered()
    expect(gated.started).toEqual(['x'])
  })

  it('does not run when it is revoked with a signal', async () => {
    offline.line.revoke(['x'], 15)
    await answered()
    expect([gated.started, delivery.settledBy, (await backend.get('x'))?.status]).toEqual([[], 'ack', 'REVOKED'])
  })

  it('does not run, and goes back, when the worker stops cold', async () => {
    offline.line.close()
    offline.line.abort()
    await answered()
    expect([gated.started, delivery.settledBy]).toEqual([[], 'giveBack'])
  })

  it('does not run here when its connection is lost', async () => {
    delivery.live = false
    offline.line.connectionLost()
    await answered()
    expect([gated.started, delivery.settledBy, offline.line.state.requests.size]).toEqual([[], null, 0])
  })
})

describe('a state that is reported once the task has ended', () => {
  it.each([
    ['by what it has left behind', {}],
    ['by a run past its hard time limit', { timeLimit: 0.05 }],
  ])('is refused: %s', async (_, limits) => {
    const app = new Celery('late', {})
    let go = (): void => undefined
    const ended = new Promise<void>((resolve) => {
      go = resolve
    })
    let late = Promise.resolve()
    const task = app.task('late', { bind: true, ...limits }, async (self: TaskContext) => {
      late = ended.then(() => self.updateState({ state: 'PROGRESS' }))
      if ('timeLimit' in limits) await late
      throw new RangeError('boom')
    })
    const here = await testWorker(app)
    const result = await task.delay()
    await expect(result.get({ timeout: 20 })).rejects.toThrow()
    go()
    await expect(late).rejects.toThrow('The state PROGRESS is not stored: the task that reports it has ended')
    expect(await app.asyncResult(result.id).state()).toBe('FAILURE')
    await here.stop()
  })
})
