import { beforeEach, describe, expect, it } from '@jest/globals'
import { Members } from '../../lib/control/members.js'
import { FakeClock } from '../support/fakeClock.js'

describe('members', () => {
  let clock: FakeClock
  let members: Members

  beforeEach(() => {
    clock = new FakeClock()
    members = new Members(clock)
  })

  it('are alive for two intervals after their last event', () => {
    expect(members.saw('b', { pid: 7, freq: 2, active: 3, processed: 9 })).toBe(true)
    clock.advance(3_999)
    const seenAt = clock.monotonic() - 3_999
    expect(members.alive).toEqual([{ hostname: 'b', pid: 7, freq: 2, active: 3, processed: 9, seenAt }])
    expect(members.removeSilent()).toEqual([])
    clock.advance(1)
    expect(members.alive).toEqual([])
    expect(members.removeSilent()).toEqual(['b'])
    expect(members.removeSilent()).toEqual([])
  })

  it('keep what an event does not say', () => {
    members.saw('b', { pid: 7, freq: 2, active: 3, processed: 9 })
    expect(members.saw('b', {})).toBe(false)
    expect(members.alive).toMatchObject([{ pid: 7, freq: 2, active: 3, processed: 9 }])
  })

  it('that tell no interval have a minute', () => {
    members.saw('b', {})
    clock.advance(119_999)
    expect(members.alive).toHaveLength(1)
    clock.advance(1)
    expect(members.alive).toEqual([])
  })

  it('are bounded in number and in patience, whatever names and intervals are made up', () => {
    for (let n = 0; n < 10_100; n++) members.saw(`made up ${n}`, { freq: 1e300, pid: 'x', active: Number.NaN })
    expect(members.alive).toHaveLength(10_000)
    expect(members.alive[0]).toMatchObject({ pid: null, active: null })
    clock.advance(7_200_000)
    expect(members.removeSilent()).toHaveLength(10_000)
  })
})
