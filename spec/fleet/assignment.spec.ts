import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Assignment, assign, type Member, movesBetween } from '../../lib/fleet/assignment.js'
import { Random } from '../packit/random.js'

const NOBODY = (lanes: number): Assignment => new Array<null>(lanes).fill(null)

function members(count: number, slots = 16): Member[] {
  return Array.from({ length: count }, (_, n) => ({ id: `w${n}@host-${n}`, slots, since: n }))
}

function countsOf(assignment: Assignment, all: readonly Member[]): number[] {
  const counts = new Map<string | null, number>()
  for (const holder of assignment) counts.set(holder, (counts.get(holder) ?? 0) + 1)
  return all.map(({ id }) => counts.get(id) ?? 0)
}

/** The farthest that any member is from its exact share of the lanes. */
function unevenness(assignment: Assignment, all: readonly Member[]): number {
  const slots = all.reduce((sum, member) => sum + member.slots, 0)
  const counts = countsOf(assignment, all)
  return Math.max(...all.map((member, at) => Math.abs((counts[at] ?? 0) - (assignment.length * member.slots) / slots)))
}

describe('an assignment', () => {
  it('gives every lane to somebody, evenly', () => {
    const all = members(3)
    expect(countsOf(assign(NOBODY(32), all), all).sort()).toEqual([10, 11, 11])
    expect(assign(NOBODY(4), [])).toEqual([null, null, null, null])
    expect(new Set(assign(NOBODY(4), members(1)))).toEqual(new Set(['w0@host-0']))
  })

  it('gives lanes in proportion to the slots', () => {
    const [small, large] = [
      { id: 'small', slots: 4, since: 0 },
      { id: 'large', slots: 12, since: 1 },
    ]
    expect(countsOf(assign(NOBODY(32), [small, large]), [small, large])).toEqual([8, 24])
  })

  it('does not depend on the order of the members', () => {
    const all = members(7)
    expect(assign(NOBODY(64), [...all].reverse())).toEqual(assign(NOBODY(64), all))
  })

  it('stays as it is while the members do', () => {
    const all = members(5)
    const first = assign(NOBODY(32), all)
    expect(assign(first, all)).toEqual(first)
  })

  it('moves what a member left, and nothing else', () => {
    const all = members(4)
    const before = assign(NOBODY(32), all)
    const after = assign(before, all.slice(1))
    expect(movesBetween(before, after)).toBe(8)
    expect(before.every((id, lane) => id === 'w0@host-0' || id === after[lane])).toBe(true)
  })

  it('gives a new member its share, and moves nothing else', () => {
    const all = members(4)
    const before = assign(NOBODY(32), all.slice(1))
    const after = assign(before, all)
    expect(movesBetween(before, after)).toBe(8)
    expect(before.every((id, lane) => id === after[lane] || after[lane] === 'w0@host-0')).toBe(true)
  })

  it('leaves what is held where it is, if it is not to rebalance', () => {
    const all = members(4)
    const before = assign(NOBODY(32), all.slice(1))
    expect(assign(before, all, { rebalances: false })).toEqual(before)
    const orphaned = assign(before, [all[0], all[2], all[3]] as Member[], { rebalances: false })
    expect(orphaned).not.toContain(null)
    expect(movesBetween(before, orphaned)).toBe(countsOf(before, all)[1])
  })

  it('is within one lane of each exact share, whoever comes, goes and changes, and moves no more than it has to', () => {
    const change = fc.array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 40 })), {
      minLength: 1,
    })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 80 }), change, (lanes, changes) => {
        const present = new Map<string, Member>()
        let assignment = NOBODY(lanes)
        for (const [number, slots] of changes) {
          const id = `w${number}`
          if (!present.delete(id)) present.set(id, { id, slots, since: number })
          const all = [...present.values()]
          const before = assignment
          assignment = assign(before, all)
          if (all.length === 0) continue
          expect(assignment.every((holder) => holder !== null && present.has(holder))).toBe(true)
          expect(unevenness(assignment, all)).toBeLessThan(1)
          expect(movesBetween(before, assignment)).toBe(leastMoves(before, all))
        }
      }),
      { numRuns: 150 },
    )
  })
})

/** By counting alone: what the absent held, and what the present have to give up so that nobody is a lane or more off. */
function leastMoves(before: Assignment, all: readonly Member[]): number {
  const slots = all.reduce((sum, member) => sum + member.slots, 0)
  const counts = countsOf(before, all)
  const ranges = all.map((member, at) => {
    const share = (before.length * member.slots) / slots
    return { count: counts[at] ?? 0, least: Math.floor(share), most: Math.ceil(share) }
  })
  const present = new Set(all.map(({ id }) => id))
  const orphans = before.filter((id) => id !== null && !present.has(id)).length
  const free = before.filter((id) => id === null).length + orphans
  const above = ranges.reduce((sum, { count, most }) => sum + Math.max(0, count - most), 0)
  const below = ranges.reduce((sum, { count, least }) => sum + Math.max(0, least - count), 0)
  return orphans + Math.max(above, below - free)
}

describe('a fleet of 1,000 workers with 4,096 lanes that come and go', () => {
  it('moves at most 1.2 times what has to move, and stays even', () => {
    const random = new Random('fleet')
    let all = members(1000)
    let born = all.length
    let assignment = assign(NOBODY(4096), all)
    let moves = 0
    let least = 0
    let worst = 0
    for (let change = 0; change < 250; change++) {
      const before = assignment
      const isJoin = all.length < 900 || (all.length < 1100 && random.chance(0.5))
      if (isJoin) {
        all = [...all, { id: `w${born}@host-${born}`, slots: 16, since: born }]
        born++
      } else {
        const leaver = random.integer(0, all.length)
        all = all.filter((_, at) => at !== leaver)
      }
      assignment = assign(before, all)
      moves += movesBetween(before, assignment)
      // What a member that leaves held has to go somewhere, and one that comes has to get its share.
      const present = new Set(all.map(({ id }) => id))
      least += isJoin ? Math.floor(4096 / all.length) : before.filter((id) => id !== null && !present.has(id)).length
      worst = Math.max(worst, unevenness(assignment, all))
    }
    expect(least).toBeGreaterThan(800)
    expect(moves / least).toBeLessThanOrEqual(1.2)
    expect(worst).toBeLessThan(1)
  })

  it('is within 10 % of even where the shares are large enough to be told apart', () => {
    const random = new Random('even')
    const all = members(100).map((member) => ({ ...member, slots: random.integer(8, 25) }))
    const assignment = assign(NOBODY(4096), all)
    const slots = all.reduce((sum, member) => sum + member.slots, 0)
    for (const [at, count] of countsOf(assignment, all).entries()) {
      const share = (4096 * (all[at]?.slots ?? 0)) / slots
      expect(Math.abs(count - share) / share).toBeLessThan(0.1)
    }
  })
})
