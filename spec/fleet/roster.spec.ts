import { describe, expect, it } from '@jest/globals'
import { assign, type Member } from '../../lib/fleet/assignment.js'
import {
  alone,
  heard,
  isForgotten,
  isStale,
  lanesOf,
  leaderOf,
  type News,
  type Roster,
  versionAfter,
  watchedBy,
} from '../../lib/fleet/roster.js'

const [A, B, C] = ['a', 'b', 'c'].map((id, at) => ({ id, slots: 16, since: 100 + at })) as [Member, Member, Member]

function having(self: Member, ...news: News[]): Roster {
  return news.reduce(heard, alone(self, 4))
}

function join(member: Member): News {
  return { type: 'join', member, version: 0 }
}

function leave({ id }: Member): News {
  return { type: 'leave', id }
}

function table(leader: Member, version: number, members: readonly Member[], lanes: readonly (string | null)[]): News {
  return { type: 'table', table: { leader: leader.id, version, members, lanes } }
}

describe('a roster', () => {
  it('is led by the oldest member as long as nobody has said a table', () => {
    const roster = having(B, join(C), join(A))
    expect(leaderOf(roster)).toEqual(A)
    expect(leaderOf(heard(roster, leave(A)))).toEqual(B)
  })

  it('keeps its leader, whatever the clock of a new member says, and has the next of the table take over', () => {
    const roster = having(B, table(C, 1, [C, B], ['c', 'b', 'c', 'b']), join(A))
    expect(leaderOf(roster)).toEqual(C)
    expect(leaderOf(heard(roster, leave(C)))).toEqual(B)
  })

  it('forgets who is missing in a newer table, but not its own member', () => {
    const roster = having(B, join(C), table(A, 1, [A], ['a', 'a', 'a', 'a']))
    expect([...roster.members.keys()].sort()).toEqual(['a', 'b'])
  })

  it('is to be shared out again by its leader once somebody has a newer table than its own', () => {
    const settled = having(A, join(B), table(A, 1, [A, B], ['a', 'a', 'b', 'b']))
    expect(isStale(settled)).toBe(false)
    expect(isStale(heard(settled, { type: 'join', member: B, version: 1 }))).toBe(false)
    expect(isStale(heard(settled, { type: 'join', member: B, version: 2 }))).toBe(true)
  })

  it('counts versions on a circle', () => {
    const last = 2 ** 48
    expect([0, 1, last - 1, last].map(versionAfter)).toEqual([1, 2, last, 1])
    const lanes = ['a', 'a', 'b', 'b']
    const wins = (newer: number, older: number): boolean => {
      const roster = having(A, table(B, older, [A, B], lanes))
      return heard(roster, table(B, newer, [B], lanes)) !== roster
    }
    for (const [newer, older] of [
      [1, last],
      [1, 0],
      [last, 0],
      [last / 2, 1],
      [5, last - 5],
    ] as const) {
      expect([newer, older, wins(newer, older), wins(older, newer)]).toEqual([newer, older, true, false])
    }
  })

  it('has each member watch another one, so that all are watched', () => {
    const views = [having(A, join(B), join(C)), having(B, join(A), join(C)), having(C, join(A), join(B))]
    expect(views.flatMap((view) => watchedBy(view)).sort()).toEqual(['a', 'b', 'c'])
    expect(watchedBy(having(A))).toEqual([])
    // One that has left, of which the leader has not heard.
    expect(watchedBy(having(A, join(B), leave(B), table(C, 1, [A, B, C], ['a', 'b', 'c', 'c'])))).toEqual(['b', 'c'])
  })

  it('follows the newest table, and of two that are equally new the same one everywhere', () => {
    const [of2, of1, ofA] = [
      table(B, 2, [A, B], ['a', 'a', 'b', 'b']),
      table(B, 1, [B], ['b', 'b', 'b', 'b']),
      table(A, 2, [A, B], ['b', 'b', 'a', 'a']),
    ]
    expect(lanesOf(having(A, of2, of1))).toEqual([0, 1])
    expect(lanesOf(having(A, of2, ofA))).toEqual([2, 3])
    expect(lanesOf(having(A, ofA, of2))).toEqual([2, 3])
  })

  it('learns members of a table, but not those that have left', () => {
    const roster = having(A, leave(C), table(B, 1, [A, B, C], ['a', 'b', 'c', 'a']))
    expect([...roster.members.keys()].sort()).toEqual(['a', 'b'])
    expect([...heard(roster, join(C)).members.keys()].sort()).toEqual(['a', 'b', 'c'])
  })

  it('knows when a table misses its member, and when the leader has to say a new one', () => {
    expect(isForgotten(having(A))).toBe(false)
    expect(isForgotten(having(A, table(B, 1, [B], ['b', 'b', 'b', 'b'])))).toBe(true)
    const settled = having(A, join(B), table(A, 1, [A, B], ['a', 'a', 'b', 'b']))
    expect(isStale(settled)).toBe(false)
    expect(isStale(heard(settled, join(C)))).toBe(true)
    expect(isStale(heard(settled, leave(B)))).toBe(true)
    expect(isStale(heard(settled, join({ ...B, slots: 8 })))).toBe(true)
    expect(isStale(having(B, join(A), table(A, 1, [A, B], ['a', 'a', 'b', 'b'])))).toBe(true)
  })

  it('takes a table of another number of lanes, which the broker decides', () => {
    expect(lanesOf(having(A, table(B, 9, [A, B], ['b', 'b', 'b', 'b', 'a'])))).toEqual([4])
  })

  it('is the same object when news says nothing new', () => {
    const roster = having(A, join(B))
    expect(heard(roster, join(B))).toBe(roster)
    expect(heard(roster, leave(A))).toBe(roster)
    expect(heard(heard(roster, leave(B)), leave(B))).toEqual(heard(roster, leave(B)))
  })
})

describe('rosters of a fleet', () => {
  /** Each hears all news, in the order in which it was said, but a table only once the leader has said one. */
  function fleet(size: number): Map<string, Roster> {
    const all = Array.from({ length: size }, (_, at) => ({ id: `w${at}`, slots: 16, since: at }))
    return new Map(all.map((member) => [member.id, alone(member, 64)]))
  }

  /** @returns what was said, tables included */
  function say(rosters: Map<string, Roster>, first: News): number {
    let said = 0
    for (let news: News | null = first; news; said++) {
      for (const [id, roster] of rosters) rosters.set(id, heard(roster, news))
      news = null
      for (const roster of rosters.values()) {
        if (leaderOf(roster).id !== roster.self.id || !isStale(roster)) continue
        const members = [...roster.members.values()]
        const { lanes, version } = roster.table
        news = table(roster.self, version + 1, members, assign(lanes, members))
      }
    }
    return said
  }

  it('agree after each change, at the cost of two messages, however many they are', () => {
    const rosters = fleet(50)
    for (const { self } of [...rosters.values()]) say(rosters, join(self))
    expect(new Set([...rosters.values()].map((roster) => JSON.stringify(roster.table))).size).toBe(1)
    expect([...rosters.values()].flatMap(lanesOf).sort((one, other) => one - other)).toEqual([...Array(64).keys()])

    rosters.delete('w7')
    expect(say(rosters, { type: 'leave', id: 'w7' })).toBe(2)
    rosters.delete('w0')
    expect(say(rosters, { type: 'leave', id: 'w0' })).toBe(2)
    expect([...rosters.values()].flatMap(lanesOf)).toHaveLength(64)
    expect(new Set([...rosters.values()].map(({ table: { leader } }) => leader))).toEqual(new Set(['w1']))
  })
})
