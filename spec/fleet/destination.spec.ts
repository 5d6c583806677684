import { beforeEach, describe, expect, it } from '@jest/globals'
import { destinations } from '../../lib/fleet/destination.js'
import { laneOf } from '../../lib/fleet/laneOf.js'
import { loadSettings } from '../../lib/settings/load.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'

const { settings } = loadSettings({ config: {}, env: {}, flags: {} })

describe('the destination of a message', () => {
  const app = new OfflineApp('spec')
  app.task(
    'spec.build',
    { params: ['build', 'chroot'], orderBy: 'kwargs.build/kwargs.chroot' },
    (...rest) => rest.length,
  )
  app.task('spec.plain', {}, () => null)
  let of: (message: ReturnType<typeof taskMessage>) => { queue: string; key: string | null }

  beforeEach(() => {
    const destinationOf = destinations({
      queue: 'q',
      tasks: app.tasks,
      limits: {
        accept: settings.accept_content,
        maxSize: settings.worker_max_message_size,
        maxNesting: settings.worker_max_message_nesting,
        maxItems: settings.worker_max_message_items,
        maxHeaders: settings.worker_max_message_headers,
      },
      orderBy: { 'other.*': 'kwargs.id' },
    })
    of = (message) => destinationOf({ queue: 'q', exchange: 'q', routingKey: 'q', ...message }, 4)
  })

  it('is the lane of the first part of its key', () => {
    const message = taskMessage('spec.build', { kwargs: { build: 98, chroot: 'fedora-42' } })
    expect(of(message)).toEqual({ queue: `q.lane.${laneOf('98', 4)}`, key: '98' })
    expect(of(taskMessage('spec.build', { kwargs: { build: '98' } }))).toEqual(of(message))
  })

  it('comes from the header, and for tasks that only another worker knows from the setting', () => {
    expect(of(taskMessage('spec.plain', { headers: { order_key: 'a' } })).key).toBe('a')
    expect(of(taskMessage('other.task', { kwargs: { id: 7 } })).key).toBe('7')
  })

  it.each([
    ['without a key', taskMessage('spec.plain')],
    ['that cannot be read', { ...taskMessage('spec.build'), content: Buffer.from('{') }],
    ['whose key is none', taskMessage('spec.plain', { headers: { order_key: { a: 1 } } })],
  ])('is each lane in turn for a message %s', (_, message) => {
    const found = Array.from({ length: 5 }, () => of(message))
    expect(found.map(({ queue }) => queue)).toEqual(['q.lane.0', 'q.lane.1', 'q.lane.2', 'q.lane.3', 'q.lane.0'])
    expect(found.every(({ key }) => key === null)).toBe(true)
  })
})
