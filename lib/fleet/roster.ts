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
  | { readonly type: 'join'; readonly member: Member }
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
}

/** The roster of a member that has heard of nobody yet. */
export function alone(self: Member, lanes: number): Roster {
  return {
    self,
    members: new Map([[self.id, self]]),
    left: new Set(),
    table: { leader: self.id, version: 0, members: [], lanes: new Array<null>(lanes).fill(null) },
  }
}

/** The roster after some news. What says nothing new returns the same object. */
export function heard(roster: Roster, news: News): Roster {
  switch (news.type) {
    case 'join':
      return joined(roster, news.member)
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

/** The member that this one watches: the next by id, and the first after the last. Null when there is no other. */
export function watchedBy(roster: Roster): Member | null {
  const ids = [...roster.members.keys()].sort()
  const id = ids[(ids.indexOf(roster.self.id) + 1) % ids.length]
  return id === undefined || id === roster.self.id ? null : (roster.members.get(id) ?? null)
}

/** The lanes that this member is to hold. */
export function lanesOf({ self, table }: Roster): readonly number[] {
  return table.lanes.flatMap((id, lane) => (id === self.id ? [lane] : []))
}

/** Whether the last table misses this member, which has then to join again. */
export function isForgotten({ self, table }: Roster): boolean {
  return table.version > 0 && !table.members.some(({ id }) => id === self.id)
}

/** Whether the last table is of other members than those that are there, or another leader's: the leader has to say a new one. */
export function isStale(roster: Roster): boolean {
  const { members, self, table } = roster
  if (table.leader !== self.id || table.members.length !== members.size) return true
  return table.members.some(({ id, slots }) => members.get(id)?.slots !== slots)
}

function joined(roster: Roster, member: Member): Roster {
  const known = roster.members.get(member.id)
  if (known?.slots === member.slots && known.since === member.since) return roster
  const left = new Set(roster.left)
  left.delete(member.id)
  return { ...roster, members: new Map([...roster.members, [member.id, member]]), left }
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
  const { left, self, table: mine } = roster
  if (table.version < mine.version || (table.version === mine.version && table.leader >= mine.leader)) return roster
  const members = new Map(table.members.filter(({ id }) => !left.has(id)).map((member) => [member.id, member]))
  return { ...roster, members: members.set(self.id, self), table }
}

function isOlder(one: Member, other: Member): boolean {
  return one.since < other.since || (one.since === other.since && one.id < other.id)
}
