import { beforeEach, describe, expect, it } from '@jest/globals'
import { NO_TASK_EVENTS } from '../../lib/request/taskEvents.js'
import { OfflineApp, OfflineLine } from '../support/offlineLine.js'

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
