import { crc32 } from 'node:zlib'

/** One worker of a fleet. */
export interface Member {
  /** Id of this run of the worker: a restarted worker is another member. */
  readonly id: string
  /** The most slots that it may have: it gets lanes in proportion. */
  readonly slots: number
  /** Wall-clock milliseconds at which it joined. While there is no leader, the oldest member leads. */
  readonly since: number
}

/** Id of the member that is to hold each lane, by the lane's number; null for nobody. */
export type Assignment = readonly (string | null)[]

/** Number of lanes that a member may hold: the two whole numbers next to its exact share. */
interface Quota {
  readonly id: string
  readonly seed: number
  readonly share: number
  readonly least: number
  readonly most: number
  readonly lanes: number[]
}

/**
 * Distributes lanes over the members in proportion to their slots, each within one lane of its exact share, with as few
 * moves as that allows. Rendezvous hashing decides which member with room gets a lane, and which of its lanes a member
 * with too many gives up: everyone who computes it from the same members and the same last assignment gets the same
 * result.
 * @param previous the last assignment; its length is the number of lanes
 * @param options.rebalances false to give away only lanes that nobody holds: then a member that is back in a moment
 * costs no other move
 */
export function assign(
  previous: Assignment,
  members: Iterable<Member>,
  options: { readonly rebalances?: boolean } = {},
): Assignment {
  const quotas = quotasOf([...members], previous.length)
  if (quotas.length === 0) return previous.map(() => null)
  const byId = new Map(quotas.map((quota) => [quota.id, quota]))
  const free: number[] = []
  for (const [lane, id] of previous.entries()) {
    const holder = id === null ? undefined : byId.get(id)
    if (holder) holder.lanes.push(lane)
    else free.push(lane)
  }
  if (options.rebalances ?? true) free.push(...surplus(quotas, free.length))
  give(free, quotas)
  const assignment: (string | null)[] = previous.map(() => null)
  for (const { id, lanes } of quotas) for (const lane of lanes) assignment[lane] = id
  return assignment
}

/** Counts the lanes that changed from one holder to another; lanes that nobody held don't count. */
export function movesBetween(before: Assignment, after: Assignment): number {
  return before.filter((id, lane) => id !== null && id !== after[lane]).length
}

function quotasOf(members: readonly Member[], lanes: number): Quota[] {
  const slots = members.reduce((sum, member) => sum + Math.max(1, member.slots), 0)
  return members
    .map(({ id, slots: own }) => {
      const share = (lanes * Math.max(1, own)) / slots
      return { id, seed: crc32(id), share, least: Math.floor(share), most: Math.ceil(share), lanes: [] }
    })
    .sort((one, other) => (one.id < other.id ? -1 : 1))
}

/**
 * Chooses lanes to take from members with more than their share: those beyond the maximum, and as many as others lack
 * of the minimum.
 */
function surplus(quotas: readonly Quota[], free: number): number[] {
  const taken: number[] = []
  const take = (quota: Quota, count: number): void => {
    quota.lanes.sort((one, other) => score(quota.seed, other) - score(quota.seed, one))
    taken.push(...quota.lanes.splice(quota.lanes.length - count))
  }
  for (const quota of quotas) if (quota.lanes.length > quota.most) take(quota, quota.lanes.length - quota.most)
  const lacking = quotas.reduce((sum, { lanes, least }) => sum + Math.max(0, least - lanes.length), 0)
  let missing = lacking - taken.length - free
  const richest = quotas
    .filter(({ lanes, least }) => lanes.length > least)
    .sort((one, other) => other.lanes.length - other.share - (one.lanes.length - one.share))
  for (const quota of richest) {
    if (missing-- <= 0) break
    take(quota, 1)
  }
  return taken
}

/**
 * Gives lanes away: first to members below their minimum, then to those with room; each lane to the member that scores
 * highest for it.
 */
function give(free: readonly number[], quotas: readonly Quota[]): void {
  let open = quotas.filter(({ lanes, least }) => lanes.length < least)
  let isLeast = true
  for (const lane of [...free].sort((one, other) => one - other)) {
    if (open.length === 0 && isLeast) {
      isLeast = false
      open = quotas.filter(({ lanes, most }) => lanes.length < most)
    }
    const quota = best(lane, open.length > 0 ? open : quotas)
    if (!quota) return
    quota.lanes.push(lane)
    if (quota.lanes.length >= (isLeast ? quota.least : quota.most)) open = open.filter((each) => each !== quota)
  }
}

function best(lane: number, quotas: readonly Quota[]): Quota | undefined {
  let found: Quota | undefined
  for (const quota of quotas) if (!found || score(quota.seed, lane) > score(found.seed, lane)) found = quota
  return found
}

/** Score of a lane for a member: a 32-bit mix (MurmurHash3's finalizer) of the two. */
function score(seed: number, lane: number): number {
  let mixed = seed ^ Math.imul(lane + 1, 0x9e3779b1)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
