import { beforeEach, describe, expect, it } from '@jest/globals'
import { Capacity } from '../../lib/scaling/capacity.js'
import { FakeDelivery } from '../support/fakeDelivery.js'
import { taskMessage } from '../support/message.js'
import { Gated, OfflineApp, OfflineLine } from '../support/offlineLine.js'

describe('what waits for a key', () => {
  let app: OfflineApp
  let gated: Gated

  beforeEach(() => {
    app = new OfflineApp('spec')
    gated = new Gated()
    const params = ['name', 'build', 'chroot']
    app.task('job', { orderBy: 'kwargs.build/kwargs.chroot', params }, gated.run)
  })

  function deliver(offline: OfflineLine, name: string, kwargs: Record<string, unknown>, queue = 'spec'): FakeDelivery {
    const { content, properties } = taskMessage('job', { id: name, args: [name], kwargs })
    return offline.deliverRaw(new FakeDelivery(properties, content, queue))
  }

  describe('beyond worker_order_depth_limit', () => {
    const config = { worker_order_depth_limit: 2 }

    function capacityOf({ line, log }: OfflineLine): Capacity {
      const capacity = new Capacity({ state: line.state, multiplier: 1, parkedLimit: 1000, log })
      capacity.split = new Map([
        ['spec', 4],
        ['other', 4],
      ])
      return capacity
    }

    it('takes up the intake of its queue, and of no other, until the key has caught up', async () => {
      const offline = new OfflineLine(app, { config })
      const capacity = capacityOf(offline)
      let told = 0
      offline.line.state.onParked(() => told++)
      for (const name of ['a0', 'a1', 'a2']) deliver(offline, name, { build: 'a' })
      expect(Object.fromEntries(capacity.perQueue())).toEqual({ spec: 6, other: 4 })
      for (const name of ['a3', 'a4', 'a5']) deliver(offline, name, { build: 'a' })
      deliver(offline, 'b0', { build: 'b' }, 'other')
      deliver(offline, 'b1', { build: 'b' }, 'other')
      expect(offline.line.state.parkedFrom('spec')).toBe(5)
      expect(offline.line.state.excessFrom('spec')).toBe(3)
      expect(Object.fromEntries(capacity.perQueue())).toEqual({ spec: 6, other: 5 })
      expect(offline.line.state.heldBeyond).toEqual({ depth: 3, age: 0 })
      told = 0
      for (const name of ['a0', 'a1', 'a2']) {
        gated.end(name)
        await offline.turn()
      }
      expect(offline.line.state.excessFrom('spec')).toBe(0)
      expect(Object.fromEntries(capacity.perQueue())).toEqual({ spec: 6, other: 5 })
      expect(told).toBeGreaterThanOrEqual(3)
      expect(gated.started).toEqual(['a0', 'b0', 'a1', 'a2', 'a3'])
    })

    it('is told of once until it is over, and again the next time', async () => {
      const offline = new OfflineLine(app, { config })
      const names = Array.from({ length: 6 }, (_, n) => `a${n}`)
      for (const name of names) deliver(offline, name, { build: 'a' })
      for (const name of names.slice(0, 3)) {
        gated.end(name)
        await offline.turn()
        deliver(offline, `${name} again`, { build: 'a' })
      }
      const warning =
        '2 messages wait for the order key a, as many as worker_order_depth_limit allows: further ones reduce what is taken from spec'
      expect(offline.log.of('WARNING')).toEqual([warning])
      for (const name of [...names.slice(3), 'a0 again', 'a1 again']) {
        gated.end(name)
        await offline.turn()
      }
      expect(offline.log.of('INFO')).toContain(
        'Fewer messages wait for the order key a than worker_order_depth_limit: taking messages as usual',
      )
      for (const name of ['x', 'y', 'z']) deliver(offline, name, { build: 'a' })
      expect(offline.log.of('WARNING')).toEqual([warning, warning])
    })

    it('counts what the key contains', () => {
      const offline = new OfflineLine(app, { config })
      deliver(offline, 'all', { build: 'a' })
      for (const chroot of ['x', 'y', 'z']) deliver(offline, chroot, { build: 'a', chroot })
      expect(offline.line.state.excessFrom('spec')).toBe(1)
      expect(offline.log.of('WARNING').join()).toContain('2 messages wait for the order key a,')
    })

    it('is no more when it is revoked, lost with its connection, or given back', async () => {
      const offline = new OfflineLine(app, { config })
      const deliveries = Array.from({ length: 6 }, (_, n) => deliver(offline, `a${n}`, { build: 'a' }))
      expect(offline.line.state.excessFrom('spec')).toBe(3)
      offline.line.revoke(['a5', 'a1'])
      expect(offline.line.state.excessFrom('spec')).toBe(1)
      for (const delivery of deliveries) delivery.live = false
      offline.line.connectionLost()
      expect(offline.line.state.excessFrom('spec')).toBe(0)
    })
  })

  it('has no limit of depth unless there is a setting', () => {
    const offline = new OfflineLine(app)
    for (let n = 0; n < 100; n++) deliver(offline, `a${n}`, { build: 'a' })
    expect(offline.line.state.excessFrom('spec')).toBe(0)
    expect(offline.line.state.heldBeyond).toEqual({ depth: 0, age: 0 })
  })

  describe('longer than worker_order_age_limit', () => {
    const config = { worker_order_age_limit: 60 }

    it('is told of once until none does, and counted each time', async () => {
      const offline = new OfflineLine(app, { config })
      deliver(offline, 'a0', { build: 'a' })
      deliver(offline, 'a1', { build: 'a' })
      offline.clock.advance(30_000)
      deliver(offline, 'a2', { build: 'a' })
      deliver(offline, 'b0', { build: 'b' })
      offline.clock.advance(29_999)
      expect(offline.log.of('WARNING')).toEqual([])
      offline.clock.advance(1)
      const warning =
        'job[a1] has waited for the order key a for 60s, longer than worker_order_age_limit: `inspect lanes` shows what it waits for'
      expect(offline.log.of('WARNING')).toEqual([warning])
      offline.clock.advance(30_000)
      expect(offline.log.of('WARNING')).toEqual([warning])
      expect(offline.line.state.heldBeyond).toEqual({ depth: 0, age: 2 })
      for (const name of ['a0', 'a1']) {
        gated.end(name)
        await offline.turn()
      }
      expect(gated.started).toEqual(['a0', 'b0', 'a1', 'a2'])
      expect(offline.log.of('INFO')).toContain(
        'No message waits for the order key a longer than worker_order_age_limit any more',
      )
      deliver(offline, 'a3', { build: 'a' })
      offline.clock.advance(60_000)
      expect(offline.log.of('WARNING')).toHaveLength(2)
    })

    it('is told of for each key', () => {
      const offline = new OfflineLine(app, { config })
      for (const build of ['a', 'b']) for (const n of [0, 1]) deliver(offline, `${build}${n}`, { build })
      offline.clock.advance(60_000)
      expect(offline.log.of('WARNING').map((line) => line.split(' ')[0])).toEqual(['job[a1]', 'job[b1]'])
    })

    it('sets one timer for all, and none that outlives a stop', async () => {
      const offline = new OfflineLine(app, { config })
      for (let n = 0; n < 50; n++) for (const build of ['a', 'b']) deliver(offline, `${build}${n}`, { build })
      expect(offline.clock.pending).toBe(1)
      offline.line.close()
      expect(offline.clock.pending).toBe(0)
    })
  })

  it('is not told of where there is no limit of age', () => {
    const offline = new OfflineLine(app, { config: { worker_order_age_limit: 0 } })
    for (const name of ['a0', 'a1']) deliver(offline, name, { build: 'a' })
    expect(offline.clock.pending).toBe(0)
  })
})
