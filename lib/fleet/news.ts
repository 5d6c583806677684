import type { Member } from './assignment.js'
import { MOST_VERSION, type News, type Table } from './roster.js'

/** Lanes by the place of their holder among the members, -1 for nobody: ids would be most of a large table. */
interface PackedTable {
  readonly leader: string
  readonly version: number
  readonly members: readonly Member[]
  readonly lanes: readonly number[]
}

/** The maximum of `worker_fleet_lanes`. */
const MOST_LANES = 4096

/** Encodes news for sending. */
export function encodeNews(news: News): Buffer {
  return Buffer.from(JSON.stringify(news.type === 'table' ? { type: 'table', table: packed(news.table) } : news))
}

/**
 * Decodes what another member sent; null if it isn't news: a check whether this member is there, or a message of a
 * newer version.
 */
export function decodeNews(content: Buffer): News | null {
  let said: Partial<Readonly<Record<string, unknown>>>
  try {
    said = JSON.parse(content.toString())
  } catch {
    return null
  }
  const { id, member, table, type, version } = said ?? {}
  if (type === 'join' && isMember(member)) return { type, member, version: isVersion(version) ? version : 0 }
  if (type === 'leave' && typeof id === 'string') return { type, id }
  if (type === 'table' && isTable(table)) return { type, table: unpacked(table) }
  return null
}

function packed({ lanes, leader, members, version }: Table): PackedTable {
  const places = new Map(members.map(({ id }, place) => [id, place]))
  return { leader, version, members, lanes: lanes.map((id) => (id === null ? -1 : (places.get(id) ?? -1))) }
}

function unpacked({ lanes, leader, members, version }: PackedTable): Table {
  return { leader, version, members, lanes: lanes.map((place) => members[place]?.id ?? null) }
}

/** A version that can't be counted up from would make the leader send new tables forever. */
function isVersion(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MOST_VERSION
}

function isMember(value: unknown): value is Member {
  const { id, since, slots } = (value ?? {}) as Partial<Member>
  return typeof id === 'string' && typeof slots === 'number' && typeof since === 'number'
}

function isTable(value: unknown): value is PackedTable {
  const { lanes, leader, members, version } = (value ?? {}) as Partial<PackedTable>
  if (typeof leader !== 'string' || !isVersion(version) || !Array.isArray(lanes) || !Array.isArray(members))
    return false
  // A table without lanes would be kept by one leader after the other, and too many would be declared.
  return lanes.length >= 1 && lanes.length <= MOST_LANES && members.every(isMember)
}
