import { beforeEach, describe, expect, it } from '@jest/globals'
import { Retry } from '../../lib/app/predicate.js'
import { ConfigurationError } from '../../lib/errors.js'
import { FakeBreaker } from '../support/fakeBreaker.js'
import type { FakeDelivery } from '../support/fakeDelivery.js'
import { Gated, OfflineApp, OfflineLine } from '../support/offlineLine.js'

describe('pauseWhileOpen', () => {
  let app: OfflineApp
  let gated: Gated
  let breaker: FakeBreaker
  let other: FakeBreaker
  let offline: OfflineLine

  beforeEach(() => {
    app = new OfflineApp('spec')
    gated = new Gated()
    breaker = new FakeBreaker('service')
    other = new FakeBreaker('other')
    app.breakers.add(breaker)
    app.breakers.add(other)
    const pauseWhileOpen = 'service'
    app.task('free', gated.run)
    app.task('pausing', { pauseWhileOpen, acksLate: true }, gated.run)
    app.task('early', { pauseWhileOpen }, gated.run)
    app.task('keyed', { pauseWhileOpen, orderBy: 'kwargs.key', params: ['name', 'key'] }, gated.run)
    app.task('rated', { pauseWhileOpen, rateLimit: '1/s' }, gated.run)
    app.task('both', { pauseWhileOpen: ['service', 'other'] }, gated.run)
    offline = new OfflineLine(app, { slots: 2 })
  })

  const deliver = (task: string, name: string, headers = {}): FakeDelivery =>
    offline.deliver(task, { id: name, args: [name], headers })
  const keyed = (name: string, key: string): FakeDelivery =>
    offline.deliver('keyed', { id: name, args: [name], kwargs: { key } })
  const waiting = (): Array<[string, string | null]> =>
    [...offline.line.state.requests].filter(({ state }) => state !== 'running').map((each) => [each.id, each.parkedFor])
  const end = async (name: string): Promise<void> => {
    gated.end(name)
    await offline.turn()
  }
  const resize = (slots: number): void => offline.line.pool.resize(slots)

  it('lets messages of such tasks wait without a slot while the breaker is open, and others run', () => {
    breaker.set('open')
    const parked = deliver('pausing', 'a')
    deliver('early', 'b')
    deliver('free', 'c')
    expect(gated.started).toEqual(['c'])
    expect(waiting()).toEqual([
      ['a', 'breaker'],
      ['b', 'breaker'],
    ])
    expect(offline.line.state.parked).toBe(2)
    expect(parked.settledBy).toBeNull()
  })

  it('acknowledges nothing before its run', async () => {
    breaker.set('open')
    const early = deliver('early', 'a')
    expect(early.settledBy).toBeNull()
    breaker.set('closed')
    expect(early.settledBy).toBe('ack')
    await end('a')
  })

  it('takes back what waited for a slot already', async () => {
    for (const name of ['a', 'b', 'c']) deliver('pausing', name)
    deliver('free', 'd')
    expect(gated.started).toEqual(['a', 'b'])
    breaker.set('open')
    await end('a')
    expect(gated.started).toEqual(['a', 'b', 'd'])
    expect(waiting()).toEqual([['c', 'breaker']])
    breaker.set('closed')
    await end('b')
    expect(gated.started).toEqual(['a', 'b', 'd', 'c'])
  })

  it('lets them all go when the breaker closes, the earliest delivered first', async () => {
    breaker.set('open')
    for (const name of ['a', 'b', 'c']) deliver('pausing', name)
    breaker.set('closed')
    expect(gated.started).toEqual(['a', 'b'])
    await end('a')
    expect(gated.started).toEqual(['a', 'b', 'c'])
    expect(offline.line.state.parked).toBe(0)
  })

  it('lets one go at a time while the breaker is half open, also of several tasks', async () => {
    breaker.set('open')
    deliver('pausing', 'a')
    deliver('early', 'b')
    deliver('pausing', 'c')
    breaker.set('half-open')
    expect(gated.started).toEqual(['a'])
    deliver('early', 'd')
    expect(gated.started).toEqual(['a'])
    await end('a')
    expect(gated.started).toEqual(['a', 'b'])
    breaker.set('closed')
    resize(4)
    expect(gated.started).toEqual(['a', 'b', 'c', 'd'])
  })

  it('lets another go at the next try although the one before still runs', () => {
    breaker.set('open')
    for (const name of ['a', 'b', 'c']) deliver('pausing', name)
    breaker.set('half-open')
    breaker.set('open')
    breaker.set('half-open')
    expect(gated.started).toEqual(['a', 'b'])
  })

  it('gives the try on when the message that had it is revoked, or goes to wait for its retry', async () => {
    breaker.set('open')
    keyed('a', 'k1')
    keyed('b', 'k2')
    keyed('c', 'k3')
    deliver('free', 'x')
    deliver('free', 'y')
    breaker.set('half-open')
    expect(gated.started).toEqual(['x', 'y'])
    offline.line.revoke(['a'])
    await end('x')
    expect(gated.started).toEqual(['x', 'y', 'b'])
    gated.fail('b', new Retry({ countdown: 5 }))
    await offline.turn()
    expect(gated.started).toEqual(['x', 'y', 'b', 'c'])
    expect(waiting()).toEqual([['b', 'retry']])
  })

  it('keeps the order of a key', async () => {
    breaker.set('open')
    keyed('a1', 'k')
    keyed('a2', 'k')
    expect(waiting()).toEqual([
      ['a1', 'breaker'],
      ['a2', 'order'],
    ])
    breaker.set('half-open')
    expect(gated.started).toEqual(['a1'])
    breaker.set('closed')
    expect(gated.started).toEqual(['a1'])
    await end('a1')
    expect(gated.started).toEqual(['a1', 'a2'])
  })

  it('holds a retry in its lane', async () => {
    keyed('a', 'k')
    breaker.set('open')
    gated.fail('a', new Retry({ countdown: 5 }))
    await offline.turn()
    offline.clock.advance(5000)
    expect(waiting()).toEqual([['a', 'breaker']])
    breaker.set('closed')
    expect(gated.started).toEqual(['a', 'a'])
  })

  it('holds what waits for its rate when its turn comes, and gives it a turn again afterwards', () => {
    deliver('rated', 'a')
    deliver('rated', 'b')
    expect(waiting()).toEqual([['b', 'rate']])
    breaker.set('open')
    offline.clock.advance(1000)
    expect(gated.started).toEqual(['a'])
    expect(waiting()).toEqual([['b', 'breaker']])
    offline.clock.advance(1000)
    breaker.set('closed')
    expect(gated.started).toEqual(['a', 'b'])
  })

  it('gives the try on when the message that had it has to wait for its rate', async () => {
    deliver('rated', 'a')
    await end('a')
    breaker.set('open')
    for (let n = 0; n < 3; n++) deliver('rated', `rated-${n}`)
    deliver('pausing', 'b')
    breaker.set('half-open')
    expect(gated.started).toEqual(['a', 'b'])
    offline.clock.advance(1000)
    // The try is still b's.
    expect(gated.started).toEqual(['a', 'b'])
    await end('b')
    offline.clock.advance(1000)
    expect(gated.started).toEqual(['a', 'b', expect.stringContaining('rated-')])
  })

  it('gives it on as often as it takes', () => {
    const many = 5000
    deliver('rated', 'a')
    breaker.set('open')
    for (let n = 0; n < many; n++) deliver('rated', `rated-${n}`)
    deliver('pausing', 'b')
    breaker.set('half-open')
    expect(gated.started).toEqual(['a', 'b'])
    expect(waiting().filter(([, reason]) => reason === 'rate')).toHaveLength(many)
  })

  it('waits for each of several breakers', () => {
    breaker.set('open')
    other.set('open')
    deliver('both', 'a')
    breaker.set('closed')
    expect(gated.started).toEqual([])
    other.set('half-open')
    expect(gated.started).toEqual(['a'])
  })

  it('lets what expires or is revoked meanwhile leave', async () => {
    breaker.set('open')
    const now = offline.clock.now()
    const old = deliver('pausing', 'a', { expires: new Date(now + 1000).toISOString() })
    const unwanted = deliver('pausing', 'b')
    offline.clock.advance(1002)
    offline.line.revoke(['b'])
    await offline.turn()
    expect([old.settledBy, unwanted.settledBy]).toEqual(['ack', 'ack'])
    breaker.set('closed')
    // Not even looked at again, which would find out that they aren't to run.
    expect(offline.line.state.accepted).toBe(0)
    expect(offline.line.state.requests.size).toBe(0)
  })

  it('gives everything back on a stop, in order, and follows the breaker no longer', () => {
    breaker.set('open')
    const given = [deliver('pausing', 'a'), deliver('early', 'b'), keyed('c', 'k'), keyed('d', 'k')]
    offline.line.close()
    expect(offline.settled).toEqual(given)
    expect(given.map(({ settledBy }) => settledBy)).toEqual(['giveBack', 'giveBack', 'giveBack', 'giveBack'])
    expect([breaker.followers, other.followers]).toEqual([0, 0])
    breaker.set('closed')
    expect(gated.started).toEqual([])
  })

  it('forgets what its connection has lost', () => {
    breaker.set('open')
    deliver('pausing', 'a').live = false
    offline.line.connectionLost()
    breaker.set('closed')
    expect(gated.started).toEqual([])
    expect(offline.line.state.requests.size).toBe(0)
  })

  it('is a fault of the configuration where it names no breaker', () => {
    app.task('wrong', { pauseWhileOpen: ['service', 'servise', 'nosuch'] }, gated.run)
    const start = 'task wrong: pauseWhileOpen names'
    expect(() => new OfflineLine(app)).toThrow(
      new ConfigurationError([
        `${start} "servise", but there is no such breaker: define it with app.breaker; did you mean service?`,
        `${start} "nosuch", but there is no such breaker: define it with app.breaker; define it with app.breaker("nosuch", ...)`,
      ]),
    )
    // Only the line that could be made follows them.
    expect(breaker.followers).toBe(1)
  })
})
