import type { Assignment, Member } from './assignment.js'

/** Number of departed members that are remembered. */
const MOST_LEFT = 1000
/** Far beyond any number of changes, and small enough to count up from. */
export const MOST_VERSION = 2 ** 48

/** The assignment of lanes, as the leader announced it. */
export interface Table {
  /** Id of the member that announced it. */
  readonly leader: string
  /** Increases with each change, whoever leads; 0 before the first, and 1 again after `MOST_VERSION`. */
  readonly version: number
  readonly members: readonly Member[]
  readonly lanes: Assignment
}

/** Messages that members send to all others. */
export type News =
  /** Carries the version of the last table that the member has. */
  | { readonly type: 'join'; readonly member: Member; readonly version: number }
  /** A member sends it about itself, or about another whose connection has ended on the broker. */
  | { readonly type: 'leave'; readonly id: string }
  | { readonly type: 'table'; readonly table: Table }

/**
 * What a member knows of the fleet. Two views that differ cost moves, but never the order of messages, since the broker
 * alone gives lanes.
 */
export interface Roster {
  readonly self: Member
  /** Members that are known to be there, by id. */
  readonly members: ReadonlyMap<string, Member>
  /** The last ids that have left: an old table doesn't bring them back. */
  readonly left: ReadonlySet<string>
  readonly table: Table
  /**
   * The highest version that any member has had. It may be beyond that of the own table, in a fleet that this member
   * hasn't been in.
   */
  readonly newest: number
}

/** Returns the roster of a member that has heard of nobody yet. */
export function alone(self: Member, lanes: number): Roster {
  return {
    self,
    members: new Map([[self.id, self]]),
    left: new Set(),
    table: { leader: self.id, version: 0, members: [], lanes: new Array<null>(lanes).fill(null) },
    newest: 0,
  }
}

/** Returns the version of the table that follows the newest one. */
export function versionAfter(newest: number): number {
  return (newest % MOST_VERSION) + 1
}

/**
 * Returns whether one version is newer than another. They are compared on a circle: otherwise a single message with the
 * highest one, from whomever, would be the last word for as long as the fleet lives.
 */
function isNewer(one: number, other: number): boolean {
  if (one === 0 || other === 0) return one > other
  const ahead = (one - other + MOST_VERSION) % MOST_VERSION
  return ahead > 0 && ahead < MOST_VERSION / 2
}

function newerOf(one: number, other: number): number {
  return isNewer(other, one) ? other : one
}

/** Returns the roster after some news; the same object if nothing is new. */
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

/**
 * Returns the member that assigns the lanes: the one that announced the table, else the first in it that is there, else
 * the oldest of all.
 */
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
 * Returns the ids that this member watches: the next one (after the last, the first), or none if it is alone. And those
 * before it that have left and are still in the table: the leader may not have heard of it.
 */
export function watchedBy({ members, self, table }: Roster): readonly string[] {
  const ids = [...new Set([...members.keys(), ...table.members.map(({ id }) => id)])].sort()
  const own = ids.indexOf(self.id)
  const others = [...ids.slice(own + 1), ...ids.slice(0, own)]
  const next = others.findIndex((id) => members.has(id))
  return next < 0 ? others : others.slice(0, next + 1)
}

/** Returns the lanes that this member is to hold. */
export function lanesOf({ self, table }: Roster): readonly number[] {
  return table.lanes.flatMap((id, lane) => (id === self.id ? [lane] : []))
}

/** Returns whether the last table lacks this member, which then has to join again. */
export function isForgotten({ self, table }: Roster): boolean {
  return table.version > 0 && !table.members.some(({ id }) => id === self.id)
}

/**
 * Returns whether the leader has to announce a new table: the last one has other members than those that are there,
 * comes from another leader, or is older than what others have.
 */
export function isStale(roster: Roster): boolean {
  const { members, newest, self, table } = roster
  if (isNewer(newest, table.version)) return true
  if (table.leader !== self.id || table.members.length !== members.size) return true
  return table.members.some(({ id, slots }) => members.get(id)?.slots !== slots)
}

function joined(roster: Roster, member: Member, version: number): Roster {
  const known = roster.members.get(member.id)
  const newest = newerOf(roster.newest, version)
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
 * Applies a table. The newer one wins; of two that are equally new, the one of the lower id. The table also decides who
 * is there: a member that it lacks joins again, and one that has left unheard is forgotten.
 */
function told(roster: Roster, table: Table): Roster {
  const { left, newest, self, table: mine } = roster
  const isNews = isNewer(table.version, mine.version)
  if (!isNews && (table.version !== mine.version || table.leader >= mine.leader)) return roster
  const members = new Map(table.members.filter(({ id }) => !left.has(id)).map((member) => [member.id, member]))
  return { ...roster, members: members.set(self.id, self), table, newest: newerOf(newest, table.version) }
}

function isOlder(one: Member, other: Member): boolean {
  return one.since < other.since || (one.since === other.since && one.id < other.id)
}
