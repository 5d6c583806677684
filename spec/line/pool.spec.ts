import { beforeEach, describe, expect, it } from '@jest/globals'
import { NO_TASK_EVENTS, type TaskEvents } from '../../lib/request/taskEvents.js'
import { FakeBreaker } from '../support/fakeBreaker.js'
import type { FakeDelivery } from '../support/fakeDelivery.js'
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

describe('while every slot is taken', () => {
  let breaker: FakeBreaker
  let gated: Gated
  let offline: OfflineLine

  beforeEach(() => {
    const app = new OfflineApp('spec')
    gated = new Gated()
    breaker = new FakeBreaker('service')
    app.breakers.add(breaker)
    app.task('plain', { acksLate: true }, gated.run)
    app.task('pausing', { pauseWhileOpen: 'service' }, gated.run)
    offline = new OfflineLine(app, { slots: 1 })
    offline.deliver('plain', { args: ['first'] })
  })

  /** Entries that the pool keeps, each with its request and the message. */
  const kept = (): number => (offline.line.pool as unknown as { ready: { length: number } }).ready.length
  const runAll = async (): Promise<string[]> => {
    for (let at = 0; at < gated.started.length; at++) {
      gated.end(gated.started[at] ?? '')
      await offline.turn()
    }
    return gated.started
  }

  it.each<[string, (id: string, delivery: FakeDelivery) => void]>([
    ['revoked', (id) => offline.line.revoke([id])],
    ['expired', () => offline.clock.advance(2)],
    [
      'lost with their connection',
      (_id, delivery) => {
        delivery.live = false
        offline.line.connectionLost()
      },
    ],
  ])('requests that are %s are forgotten, and the others run in their order', async (_what, end) => {
    const names = Array.from({ length: 20 }, (_, at) => `n${at}`)
    for (const name of names) {
      for (let at = 0; at < 50; at++) {
        const id = `${name}-${at}`
        const expires = new Date(offline.clock.now() + 1).toISOString()
        end(id, offline.deliver('plain', { id, args: ['gone'], headers: { expires } }))
      }
      offline.deliver('plain', { args: [name] })
    }
    expect(offline.line.state.ready).toBe(20)
    expect(kept()).toBeLessThanOrEqual(2 * 20 + 64)
    expect(await runAll()).toEqual(['first', ...names])
  })

  it('requests that wait for a breaker again and again are kept once, and run once, in their order', async () => {
    const names = Array.from({ length: 30 }, (_, at) => `n${at}`)
    for (const name of names) offline.deliver('pausing', { args: [name] })
    for (let flap = 0; flap < 50; flap++) {
      breaker.set('open')
      breaker.set('closed')
    }
    expect(offline.line.state.ready).toBe(30)
    expect(kept()).toBeLessThanOrEqual(2 * 30 + 64)
    expect(await runAll()).toEqual(['first', ...names])
  })
})
