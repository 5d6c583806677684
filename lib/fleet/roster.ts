import type { Assignment, Member } from './assignment.js'

/** So many of those that have left are remembered. */
const MOST_LEFT = 1000

/** Who is to hold which lane, as the leader has said it. */
export interface Table {
  /** Id of the member that has said it. */
  readonly leader: string
  /** Counted up with each change, whoever leads. */
  readonly version: number
  readonly members: readonly Member[]
  readonly lanes: Assignment
}

/** What members say to all others. */
export type News =
  /** With the version of the last table that it has. */
  | { readonly type: 'join'; readonly member: Member; readonly version: number }
  /** A member says it of itself, or of another whose connection the broker has seen end. */
  | { readonly type: 'leave'; readonly id: string }
  | { readonly type: 'table'; readonly table: Table }

/** What a member knows of the fleet. Only a view: two that differ cost moves, and no message its order, since the broker alone gives lanes. */
export interface Roster {
  readonly self: Member
  /** By id; those that are known to be there. */
  readonly members: ReadonlyMap<string, Member>
  /** The last ids that have left: an old table doesn't bring them back. */
  readonly left: ReadonlySet<string>
  readonly table: Table
  /** The highest version that anybody has had: of a fleet that this member hasn't been in, it may be beyond that of its own table. */
  readonly newest: number
}

/** The roster of a member that has heard of nobody yet. */
export function alone(self: Member, lanes: number): Roster {
  return {
    self,
    members: new Map([[self.id, self]]),
    left: new Set(),
    table: { leader: self.id, version: 0, members: [], lanes: new Array<null>(lanes).fill(null) },
    newest: 0,
  }
}

/** The roster after some news. What says nothing new returns the same object. */
export function heard(roster: Roster, news: News): Roster {
  switch (news.type) {
    case 'join':
      return joined(roster, news.member, news.version)
    case 'leave':
      return gone(roster, news.id)
    case 'table':
      return told(roster, news.table)
    default:
      news satisfies never
      return roster
  }
}

/** The member that shares the lanes out: the one that has said the table, else the first in it that is there, else the oldest of all. */
export function leaderOf({ members, self, table }: Roster): Member {
  if (table.version > 0) {
    const leader = members.get(table.leader)
    if (leader) return leader
    for (const { id } of table.members) {
      const next = members.get(id)
      if (next) return next
    }
  }
  let oldest = self
  for (const member of members.values()) if (isOlder(member, oldest)) oldest = member
  return oldest
}

/**
 * The ids that this member watches: the next one, and the first after the last; none when there is no other. And those before it that have
 * left and are in the table all the same: the leader may not have heard of it.
 */
export function watchedBy({ members, self, table }: Roster): readonly string[] {
  const ids = [...new Set([...members.keys(), ...table.members.map(({ id }) => id)])].sort()
  const own = ids.indexOf(self.id)
  const others = [...ids.slice(own + 1), ...ids.slice(0, own)]
  const next = others.findIndex((id) => members.has(id))
  return next < 0 ? others : others.slice(0, next + 1)
}

/** The lanes that this member is to hold. */
export function lanesOf({ self, table }: Roster): readonly number[] {
  return table.lanes.flatMap((id, lane) => (id === self.id ? [lane] : []))
}

/** Whether the last table misses this member, which has then to join again. */
export function isForgotten({ self, table }: Roster): boolean {
  return table.version > 0 && !table.members.some(({ id }) => id === self.id)
}

/** Whether the last table is of other members than those that are there, another leader's, or older than what others have: the leader has to say a new one. */
export function isStale(roster: Roster): boolean {
  const { members, newest, self, table } = roster
  if (newest > table.version) return true
  if (table.leader !== self.id || table.members.length !== members.size) return true
  return table.members.some(({ id, slots }) => members.get(id)?.slots !== slots)
}

function joined(roster: Roster, member: Member, version: number): Roster {
  const known = roster.members.get(member.id)
  const newest = Math.max(roster.newest, version)
  if (known?.slots === member.slots && known.since === member.since)
    return newest === roster.newest ? roster : { ...roster, newest }
  const left = new Set(roster.left)
  left.delete(member.id)
  return { ...roster, members: new Map([...roster.members, [member.id, member]]), left, newest }
}

function gone(roster: Roster, id: string): Roster {
  if (id === roster.self.id || roster.left.has(id)) return roster
  const members = new Map(roster.members)
  members.delete(id)
  return { ...roster, members, left: new Set([...[...roster.left].slice(1 - MOST_LEFT), id]) }
}

/**
 * The newer one holds; of two that are equally new, that of the lower id. Who is there is what it says, too: a member that it misses joins
 * again, and one that has gone while nothing was heard is forgotten.
 */
function told(roster: Roster, table: Table): Roster {
  const { left, newest, self, table: mine } = roster
  if (table.version < mine.version || (table.version === mine.version && table.leader >= mine.leader)) return roster
  const members = new Map(table.members.filter(({ id }) => !left.has(id)).map((member) => [member.id, member]))
  return { ...roster, members: members.set(self.id, self), table, newest: Math.max(newest, table.version) }
}

function isOlder(one: Member, other: Member): boolean {
  return one.since < other.since || (one.since === other.since && one.id < other.id)
}
