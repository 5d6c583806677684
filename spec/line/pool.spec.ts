import { describe, expect, it } from '@jest/globals'
import { NO_TASK_EVENTS, type TaskEvents } from '../../lib/request/taskEvents.js'
import { Gated, OfflineApp, OfflineLine } from '../support/offlineLine.js'

/** Events none of which can be told. */
const BROKEN_EVENTS = Object.fromEntries(
  Object.keys(NO_TASK_EVENTS).map((name) => [
    name,
    () => {
      if (name !== 'received') throw Object.create(null)
    },
  ]),
) as unknown as TaskEvents

describe('a slot', () => {
  it('comes back when something around the run throws, and the message is settled once', async () => {
    const app = new OfflineApp('spec')
    app.task('early', () => 1)
    app.task('late', { acksLate: true }, () => 1)
    app.task('fails', { acksLate: true }, () => {
      throw new Error('no')
    })
    app.task('keyed', { orderBy: 'kwargs.key', params: ['key'] }, (_key: string) => 1)
    const offline = new OfflineLine(app, { slots: 1, events: BROKEN_EVENTS })
    const deliveries = [
      offline.deliver('early'),
      offline.deliver('late'),
      offline.deliver('fails'),
      offline.deliver('keyed', { kwargs: { key: 'k' } }),
      offline.deliver('keyed', { kwargs: { key: 'k' } }),
    ]
    for (let turn = 0; turn < 10; turn++) await offline.turn()
    expect(deliveries.map((delivery) => delivery.settledBy)).not.toContain(null)
    expect(offline.line.state.running.size).toBe(0)
    expect(offline.line.state.requests.size).toBe(0)
    await offline.line.idle()
  })

  it('comes back when its run breaks off: the message is rejected, the fault logged, and the next one runs', async () => {
    const app = new OfflineApp('spec')
    const gated = new Gated()
    app.task('keyed', { orderBy: 'kwargs.key', params: ['name', 'key'] }, gated.run)
    const offline = new OfflineLine(app, { slots: 1 })
    const first = offline.deliver('keyed', { id: 'x', args: ['a'], kwargs: { key: 'k' } })
    const second = offline.deliver('keyed', { args: ['b'], kwargs: { key: 'k' } })
    // What no settling expects: the broker's own acknowledgement throws.
    first.ack = () => {
      throw new Error('the channel is odd')
    }
    first.reject = () => {
      first.settledBy = 'reject'
      throw new Error('and stays so')
    }
    gated.end('a')
    await offline.turn()
    expect(gated.started).toEqual(['a', 'b'])
    expect(offline.log.of('CRITICAL')).toContain(`Task keyed[x] INTERNAL ERROR: Exception('the channel is odd')`)
    gated.end('b')
    await offline.line.idle()
    expect([first.settledBy, second.settledBy]).toEqual(['reject', 'ack'])
  })
})
