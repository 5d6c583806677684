import { beforeEach, describe, expect, it } from '@jest/globals'
import { Revoked, type RevokedRecord } from '../../lib/request/revoked.js'
import { FakeClock } from '../support/fakeClock.js'
import { growthOf } from '../support/growth.js'

describe('revoked tasks', () => {
  let clock: FakeClock
  let revoked: Revoked

  beforeEach(() => {
    clock = new FakeClock()
    revoked = new Revoked(clock, 3, 1000)
  })

  it('are known by their ids until they are too old', () => {
    revoked.add('a')
    expect([revoked.has('a'), revoked.has('b')]).toEqual([true, false])
    clock.advance(999)
    expect(revoked.has('a')).toBe(true)
    clock.advance(1)
    expect(revoked.has('a')).toBe(false)
    expect(revoked.ids).toEqual([])
  })

  it('are bounded: the oldest is forgotten first, and one that is revoked again is new', () => {
    for (const id of ['a', 'b', 'c', 'a', 'd']) revoked.add(id)
    expect(revoked.ids).toEqual(['c', 'a', 'd'])
    revoked.add('c')
    expect(revoked.ids).toEqual(['a', 'd', 'c'])
    revoked.add('e')
    expect(revoked.ids).toEqual(['d', 'c', 'e'])
    clock.advance(1000)
    expect(revoked.ids).toEqual([])
    revoked.add('g')
    expect(revoked.ids).toEqual(['g'])
  })

  it('take no longer each when there are many of them, beyond the number that is kept too', () => {
    const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `id-${at}`)
    const flag = (ids: readonly string[]): void => {
      const crowd = new Revoked(clock)
      for (const id of ids) crowd.add(id)
      expect(crowd.ids).toHaveLength(Math.min(ids.length, 50_000))
    }
    expect(growthOf(flag, many, 40_000)).toBeLessThan(4)
    const loaded = (count: number) => ({ ids: many(count).map((id) => [id, clock.now()] as const), stamps: [] })
    expect(growthOf((record: RevokedRecord) => new Revoked(clock).load(record), loaded, 40_000)).toBeLessThan(4)
  })

  it("leave out what another node's list has of too long ago", () => {
    revoked.add('new')
    revoked.add('old', clock.now() - 1000)
    expect(revoked.ids).toEqual(['new'])
    expect(revoked.has('old')).toBe(false)
  })

  it('are known by the values of their stamps, flat or in a dict, single or several', () => {
    revoked.addStamp('mid', 'x')
    expect(revoked.hasStampOf({ stamps: { mid: 'x' } })).toBe(true)
    expect(revoked.hasStampOf({ stamps: { mid: ['y', 'x'] } })).toBe(true)
    expect(revoked.hasStampOf({ stamped_headers: ['mid'], mid: 'x' })).toBe(true)
    expect(revoked.hasStampOf({ mid: 'x' })).toBe(false)
    expect(revoked.hasStampOf({ stamped_headers: ['constructor', '__proto__', {}, null] })).toBe(false)
    expect(revoked.hasStampOf({ stamps: { mid: [{ toString: 1, valueOf: 1 }, null] } })).toBe(false)
    expect(revoked.hasStampOf({ stamps: { mid: 'y', other: 'x' } })).toBe(false)
  })

  it('come back as they were dumped', () => {
    revoked.add('a')
    clock.advance(400)
    revoked.addStamp('mid', 'x')
    const restored = new Revoked(clock, 3, 1000)
    restored.load(JSON.parse(JSON.stringify(revoked.dump())))
    expect(restored.has('a')).toBe(true)
    clock.advance(600)
    expect([restored.has('a'), restored.hasStampOf({ stamps: { mid: 'x' } })]).toEqual([false, true])
  })
})
