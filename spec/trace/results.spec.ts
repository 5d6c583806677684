import { beforeEach, describe, expect, it } from '@jest/globals'
import type { TaskContext } from '../../lib/app/context.js'
import { MemoryOutlet } from '../canvas/memoryOutlet.js'
import { FakeDelivery } from '../support/fakeDelivery.js'
import { MemoryBackend } from '../support/memoryBackend.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp, OfflineLine } from '../support/offlineLine.js'

describe('what a task leaves in the backend, and sees of its request', () => {
  let backend: MemoryBackend
  let offline: OfflineLine
  let offlineApp: OfflineApp
  let seen: TaskContext['request'] | null

  beforeEach(() => {
    const app = new OfflineApp('spec')
    app.task('add', { trackStarted: true }, (x: number, y: number) => x + y)
    app.task('greater', { trackStarted: true, params: ['x', 'than'] }, (x: number, than: number) => x > than)
    app.task('look', { bind: true }, (self: TaskContext) => {
      seen = self.request
    })
    offlineApp = app
    backend = new MemoryBackend()
    seen = null
    offline = new OfflineLine(app, { backend, config: { result_extended: true } })
  })

  const result = async (headers: Record<string, unknown>) => {
    offline.deliver('add', { id: 'a', args: [2, 3], headers })
    for (let turn = 0; turn < 10; turn++) await offline.turn()
    return backend.get('a')
  }

  it('has the stamps among the fields of an extended result', async () => {
    const headers = { stamped_headers: ['customer', 'job'], stamps: { customer: ['c1'], job: 'j' } }
    expect((await result(headers))?.extended).toMatchObject({
      name: 'add',
      args: [2, 3],
      stampedHeaders: ['customer', 'job'],
      stamps: { customer: ['c1'], job: 'j' },
    })
  })

  it('is there also if its arguments are no JSON, as texts then', async () => {
    const { properties } = taskMessage('greater', { id: 'a' })
    const content = Buffer.from('[[Infinity], {"than": 7}, {}]')
    offline.deliverRaw(new FakeDelivery(properties, content, 'spec', () => undefined))
    for (let turn = 0; turn < 10; turn++) await offline.turn()
    expect(backend.stored).toEqual(['a STARTED', 'a SUCCESS'])
    expect(await backend.get('a')).toMatchObject({ result: true, extended: { args: ['inf'], kwargs: { than: '7' } } })
  })

  it('has the call of each step that never runs, as in Celery, also if its arguments are no JSON', async () => {
    offline = new OfflineLine(offlineApp, { backend, config: { result_extended: true }, canvas: new MemoryOutlet() })
    const { properties } = taskMessage('add', { id: 'a' })
    const steps = ['[1, Infinity]', '[2]'].map(
      (args, at) => `{"task": "step${at}", "args": ${args}, "kwargs": {"x": 1}, "options": {"task_id": "s${at}"}}`,
    )
    const content = Buffer.from(`[["too", "many", "here"], {}, {"chain": [${steps}]}]`)
    offline.deliverRaw(new FakeDelivery(properties, content))
    for (let turn = 0; turn < 10; turn++) await offline.turn()
    const unrun = { worker: null, retries: 0, queue: null }
    expect([await backend.get('s0'), await backend.get('s1')]).toMatchObject([
      { status: 'FAILURE', extended: { name: 'step0', args: ['1', 'inf'], kwargs: { x: '1' }, ...unrun } },
      { status: 'FAILURE', extended: { name: 'step1', args: [2], kwargs: { x: 1 }, ...unrun } },
    ])
  })

  it.each([{}, { stamped_headers: null, stamps: {} }, { stamped_headers: ['x'], stamps: ['x'] }])(
    'has none where there are none: %j',
    async (headers) => {
      const extended = (await result(headers))?.extended
      expect(extended).toMatchObject({ name: 'add' })
      expect(extended).not.toHaveProperty('stampedHeaders')
    },
  )

  it("shows the sender's own headers alone, and the properties of the message", async () => {
    const { properties } = taskMessage('look', {})
    offline.deliver('look', {
      id: 'b',
      headers: { 'my-header': 'x', periodic_task_name: 'nightly', eta: null, stamps: {}, compression: null },
    })
    await offline.turn()
    expect(seen?.headers).toEqual({ 'my-header': 'x', periodic_task_name: 'nightly' })
    const { headers: _, ...others } = properties
    expect(seen?.properties).toEqual({ ...others, correlationId: 'b' })
    expect(seen?.properties).toMatchObject({ contentType: 'application/json', contentEncoding: 'utf-8' })
  })
})
