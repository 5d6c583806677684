import { expect, it } from '@jest/globals'
import { addChild } from '../../lib/app/current.js'
import { taskSignature } from '../../lib/canvas/signature.js'
import { taskTuple } from '../../lib/protocol/result.js'
import { FakeDelivery } from '../support/fakeDelivery.js'
import { MemoryBackend } from '../support/memoryBackend.js'
import { taskMessage } from '../support/message.js'
import { Gated, OfflineApp, OfflineLine } from '../support/offlineLine.js'
import { MemoryOutlet } from './memoryOutlet.js'

const next = taskSignature('next', [], {}, { task_id: 'next' })

it.each([
  ['a step', { chain: [next] }],
  ['a callback', { callbacks: [next] }],
])('%s follows a task once that has sent others, lost its connection and is a duplicate then', async (_, embed) => {
  const app = new OfflineApp('repeated')
  const gated = new Gated()
  app.task('sends', { acksLate: true }, (name: string) => {
    addChild(() => taskTuple('own'))
    return gated.run(name)
  })
  const canvas = new MemoryOutlet()
  const offline = new OfflineLine(app, {
    backend: new MemoryBackend(),
    config: { worker_deduplicate_successful_tasks: true },
    canvas,
  })
  const delivery = offline.deliver('sends', { id: 'x', args: ['a'], embed })
  delivery.live = false
  offline.line.connectionLost()
  gated.end('a')
  await offline.turn()
  const { properties, content } = taskMessage('sends', { id: 'x', args: ['b'], embed })
  const again = offline.deliverRaw(Object.assign(new FakeDelivery(properties, content), { redelivered: true }))
  await offline.turn()
  expect([gated.started, again.settledBy]).toEqual([['a'], 'ack'])
  expect(canvas.messages.map(({ id }) => id)).toEqual(['next'])
})
