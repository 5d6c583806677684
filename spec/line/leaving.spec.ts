import { beforeEach, describe, expect, it } from '@jest/globals'
import { NO_TASK_EVENTS } from '../../lib/request/taskEvents.js'
import { Gated, OfflineApp, OfflineLine } from '../support/offlineLine.js'

describe('a message that is revoked while it is sent on to the delay queues', () => {
  const HOUR_MS = 3_600_000
  const STAMPED = { stamped_headers: ['mid'], stamps: { mid: 'm' } }
  let offline: OfflineLine
  let revoked: number
  let ran: number
  /** What the broker says to the copy: taken, not to be delayed, or an error. */
  let answer: (taken: boolean | Error) => void

  beforeEach(() => {
    revoked = 0
    ran = 0
    const app = new OfflineApp('spec')
    app.task('spec.later', () => void ran++)
    offline = new OfflineLine(app, {
      events: { ...NO_TASK_EVENTS, revoked: () => void revoked++ },
      postpone: () =>
        new Promise((resolve, reject) => {
          answer = (taken) => (typeof taken === 'boolean' ? resolve(taken) : reject(taken))
        }),
    })
  })

  const eta = (): string => new Date(offline.clock.now() + HOUR_MS).toISOString()
  const byId = (): unknown => offline.line.revoke(['a'])
  const byStamp = (): unknown => offline.line.revokeByStamps({ mid: ['m'] })

  it.each([
    ['its id', byId],
    ['a stamp', byStamp],
  ])('ends once, when its copy comes back: by %s', async (_by, revoke) => {
    const delivery = offline.deliver('spec.later', { id: 'a', headers: { eta: eta(), ...STAMPED } })
    revoke()
    await offline.turn()
    expect([revoked, delivery.settledBy]).toEqual([0, null])
    answer(true)
    await offline.turn()
    expect([revoked, delivery.settledBy]).toEqual([0, 'ack'])
    const copy = offline.deliver('spec.later', { id: 'a', headers: { ...STAMPED, 'celeriac-received': true } })
    await offline.turn()
    expect([revoked, copy.settledBy, ran]).toEqual([1, 'ack', 0])
    expect(offline.line.state.requests.size).toBe(0)
  })

  it.each([
    ['its id, and there is no way to delay it', byId, false],
    ['a stamp, and there is no way to delay it', byStamp, false],
    ['its id, and the broker refuses the copy', byId, new Error('no')],
  ])('ends as soon as it is known that it stays: by %s', async (_by, revoke, broker) => {
    const delivery = offline.deliver('spec.later', { id: 'a', headers: { eta: eta(), ...STAMPED } })
    revoke()
    answer(broker)
    await offline.turn()
    expect([revoked, delivery.settledBy, ran]).toEqual([1, 'ack', 0])
    expect(offline.line.state.requests.size).toBe(0)
  })

  it('does not run if the broker has not answered by its ETA', async () => {
    offline.deliver('spec.later', { id: 'a', headers: { eta: eta() } })
    byId()
    offline.clock.advance(HOUR_MS + 1)
    await offline.turn()
    expect([revoked, ran]).toEqual([1, 0])
  })
})

describe('a message with an order key that becomes due while it is sent on', () => {
  it('leaves nothing in its lane when its queue is handed over and the broker refuses the copy', async () => {
    const app = new OfflineApp('spec')
    const gated = new Gated()
    app.task('spec.keyed', { orderBy: 'kwargs.key', params: ['name', 'key'] }, gated.run)
    let refuse: (error: Error) => void = () => undefined
    const offline = new OfflineLine(app, {
      postpone: () =>
        new Promise((_resolve, reject) => {
          refuse = reject
        }),
    })
    const deliver = (name: string, headers = {}) =>
      offline.deliver('spec.keyed', { id: name, args: [name], kwargs: { key: 'k' }, headers })
    deliver('runs')
    const late = deliver('late', { eta: new Date(offline.clock.now() + 3_600_000).toISOString() })
    offline.line.gate.close('spec')
    offline.clock.advance(3_600_001)
    refuse(new Error('no'))
    await offline.turn()
    gated.end('runs')
    await offline.turn()
    expect([late.settledBy, offline.line.lanes.size]).toEqual(['giveBack', 0])
    offline.line.gate.closure.reopen('spec')
    deliver('next')
    expect(gated.started).toEqual(['runs', 'next'])
  })
})

describe('a message that waits to be sent on while the broker takes nothing', () => {
  let offline: OfflineLine
  let gated: Gated
  let copies: number

  beforeEach(() => {
    const app = new OfflineApp('spec')
    gated = new Gated()
    app.task('spec.later', { acksLate: true }, gated.run)
    copies = 0
    offline = new OfflineLine(app, {
      // As the publisher does without a connection: the signal ends the wait.
      postpone: (_message, _queue, _delayMs, signal) =>
        new Promise((resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new Error('gave up waiting for the broker')))
          connect.push(() => {
            if (!signal?.aborted) copies++
            resolve(true)
          })
        }),
    })
  })
  const connect: Array<() => void> = []

  it('runs here when it is due, and leaves no copy that would run again', async () => {
    const eta = new Date(offline.clock.now() + 3_600_000).toISOString()
    const delivery = offline.deliver('spec.later', { id: 'a', args: ['a'], headers: { eta } })
    await offline.turn()
    offline.clock.advance(3_600_001)
    await offline.turn()
    for (const comesUp of connect) comesUp()
    await offline.turn()
    expect([gated.started, copies]).toEqual([['a'], 0])
    gated.end('a')
    await offline.turn()
    expect([delivery.settledBy, offline.line.state.requests.size]).toEqual(['ack', 0])
    expect(offline.log.of('WARNING')).toEqual([])
  })

  it('is not waited for once the worker is about to end', async () => {
    const eta = new Date(offline.clock.now() + 3_600_000).toISOString()
    const delivery = offline.deliver('spec.later', { id: 'a', args: ['a'], headers: { eta } })
    offline.line.close()
    offline.line.abort()
    await offline.line.idle()
    expect([delivery.settledBy, gated.started, copies]).toEqual(['giveBack', [], 0])
  })
})
