import { beforeEach, describe, expect, it } from '@jest/globals'
import type { TaskContext } from '../lib/app/context.js'
import type { Clock } from '../lib/ports.js'
import { Rates } from '../lib/request/rates.js'
import type { Request } from '../lib/request/request.js'
import { FakeClock } from './support/fakeClock.js'
import { FakeDelivery } from './support/fakeDelivery.js'
import { MemoryBackend } from './support/memoryBackend.js'
import { taskMessage } from './support/message.js'
import { Gated, OfflineApp, OfflineLine } from './support/offlineLine.js'

describe('what keeps a task from running', () => {
  let app: OfflineApp
  let gated: Gated

  beforeEach(() => {
    app = new OfflineApp('spec')
    gated = new Gated()
    app.task('plain', gated.run)
    app.task('limited', { rateLimit: '10/m', acksLate: true }, gated.run)
    app.task('late', { acksLate: true, bind: true }, (_self: TaskContext, name: string) => gated.run(name))
  })

  const deliver = (offline: OfflineLine, task: string, name: string) => offline.deliver(task, { args: [name] })

  it('a rate limit: one at a time, evenly spaced, in the order of arrival, without a slot meanwhile', async () => {
    const offline = new OfflineLine(app, { slots: 2 })
    for (const name of ['a', 'b', 'c']) deliver(offline, 'limited', name)
    deliver(offline, 'plain', 'free')
    expect(gated.started).toEqual(['a', 'free'])
    expect(offline.line.state.parked).toBe(2)
    gated.end('a')
    gated.end('free')
    await offline.turn()
    offline.clock.advance(5_999)
    expect(gated.started).toHaveLength(2)
    offline.clock.advance(1)
    expect(gated.started).toEqual(['a', 'free', 'b'])
    offline.clock.advance(6_000)
    expect(gated.started).toEqual(['a', 'free', 'b', 'c'])
  })

  it('a rate limit that is changed while tasks wait: the new one counts at once, and none lets all go', () => {
    const offline = new OfflineLine(app)
    for (const name of ['a', 'b', 'c', 'd']) deliver(offline, 'limited', name)
    offline.line.gate.rates.set('limited', 1)
    offline.clock.advance(1_000)
    expect(gated.started).toEqual(['a', 'b'])
    offline.line.gate.rates.set('limited', null)
    expect(gated.started).toEqual(['a', 'b', 'c', 'd'])
  })

  it.each([
    { lateMs: 2, perSecond: 200, wanted: 200 },
    { lateMs: 2, perSecond: 2_000, wanted: 2_000 },
    // Not more after a long pause: each of these is the only one for five seconds.
    { lateMs: 5_000, perSecond: 10, wanted: 0 },
  ])('a rate limit is what it says although timers are late: %j', ({ lateMs, perSecond, wanted }) => {
    const clock = new FakeClock()
    let count = 0
    const late: Clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimer: (fn, delayMs) => clock.setTimer(fn, Math.ceil(delayMs) + lateMs),
    }
    const rates = new Rates({ clock: late, onTurn: () => count++ })
    rates.set('fast', perSecond)
    for (let at = 0; at < 3_000; at++) rates.admit({ task: { name: 'fast' } } as unknown as Request)
    clock.advance(1_000)
    expect(Math.abs(count - wanted)).toBeLessThan(0.03 * wanted + 1)
    clock.advance(9_000)
    if (wanted === 0) expect(count).toBe(1)
  })

  it('a revoke of what waits: it leaves at once, and its place is free', async () => {
    const offline = new OfflineLine(app)
    deliver(offline, 'limited', 'a')
    const second = deliver(offline, 'limited', 'b')
    deliver(offline, 'limited', 'c')
    offline.line.revoke([String(second.properties.correlationId)])
    await offline.turn()
    expect(second.settledBy).toBe('ack')
    offline.clock.advance(6_000)
    expect(gated.started).toEqual(['a', 'c'])
  })

  it('a revoke that came before the message', async () => {
    const offline = new OfflineLine(app)
    offline.line.revoke(['x'])
    const delivery = offline.deliver('plain', { id: 'x', args: ['a'] })
    await offline.turn()
    expect(delivery.settledBy).toBe('ack')
    expect(gated.started).toEqual([])
  })

  it('a revoke with terminate, of what runs: its signal is aborted, and REVOKED is its end', async () => {
    const backend = new MemoryBackend()
    const offline = new OfflineLine(app, { backend })
    const delivery = offline.deliver('late', { id: 'x', args: ['a'] })
    expect(offline.line.revoke(['x'], 15)).toEqual(['x'])
    gated.fail('a', new Error('stopped'))
    await offline.turn()
    expect(delivery.settledBy).toBe('ack')
    expect(await backend.get('x')).toMatchObject({ status: 'REVOKED', result: { exc_message: ['terminated'] } })
  })

  it('a success that was stored before, where duplicates are not wanted', async () => {
    const backend = new MemoryBackend()
    const config = { worker_deduplicate_successful_tasks: true }
    const offline = new OfflineLine(app, { backend, config })
    offline.deliver('late', { id: 'x', args: ['a'] })
    gated.end('a')
    await offline.turn()
    const { properties, content } = taskMessage('late', { id: 'x', args: ['b'] })
    const again = Object.assign(new FakeDelivery(properties, content), { redelivered: true })
    offline.deliverRaw(again)
    await offline.turn()
    expect(again.settledBy).toBe('ack')
    expect(gated.started).toEqual(['a'])
    expect(offline.log.of('INFO').at(-1)).toContain('Task already completed successfully.')
  })

  it('more deliveries than a message may have', () => {
    const offline = new OfflineLine(app, { config: { worker_max_deliveries: 3 } })
    const again = (id: string, headers: Record<string, unknown>): FakeDelivery => {
      const { properties, content } = taskMessage('late', { id, args: ['a'], headers })
      const delivery = Object.assign(new FakeDelivery(properties, content), { redelivered: true, isCounted: true })
      offline.deliverRaw(delivery)
      return delivery
    }
    const fine = again('a', { 'x-delivery-count': 2 })
    const poison = again('b', { 'x-delivery-count': 3 })
    const early = again('c', { 'x-delivery-count': 3, eta: new Date(offline.clock.now() + 1000).toISOString() })
    expect([fine.settledBy, poison.settledBy, early.settledBy]).toEqual([null, 'reject', null])
    expect(offline.line.state.refused.get('deliveries')).toBe(1)
  })
})
