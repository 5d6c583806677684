/*
 * Request:  hello {from_node, revoked: {<id>: [seconds, <id>]}, monotonic}
 * Reply:    {revoked: {<id>: [seconds, <id>]}, clock, monotonic}, or null from the node that asked
 *
 * `seconds` is the time of the revoke on the sender's monotonic clock, or, in a set that was passed on as Celery writes it elsewhere,
 * a plain number in the pair's place. Python refuses the whole set if one of these times is written without a fraction. Instead of such a
 * set it also takes a list of ids, which Celery's workers after 5.6 send.
 * `monotonic` is ours: what the sender's clock shows now, without which those times mean nothing on another machine.
 */

/** A revoked id, and how long ago it was revoked. */
export interface RevokedId {
  readonly id: string
  readonly ageMs: number
}

/** The revoked tasks that two nodes send each other. */
export interface RevokedSet {
  readonly revoked: Readonly<Record<string, readonly [seconds: number, id: string]>>
  readonly monotonic: number
}

/** @param monotonic seconds on the clock that Python's `time.monotonic()` reads */
export function encodeRevoked(ids: Iterable<RevokedId>, monotonic: number): RevokedSet {
  const revoked = Object.fromEntries(
    [...ids].map(({ ageMs, id }) => [id, [withFraction(monotonic - ageMs / 1000), id] as const]),
  )
  return { revoked, monotonic }
}

/**
 * Decodes the ids of a request or reply of another node, oldest first; malformed ones are left out. If the node doesn't
 * send its clock the ids count as new: remembering a revoked task for too long does no harm, for too short a time
 * would.
 */
export function decodeRevoked({ monotonic, revoked }: Readonly<Record<string, unknown>>): RevokedId[] {
  if (Array.isArray(revoked)) {
    return revoked.filter((id) => typeof id === 'string' && id !== '').map((id) => ({ id, ageMs: 0 }))
  }
  if (typeof revoked !== 'object' || revoked === null) return []
  const ids: RevokedId[] = []
  for (const [id, entry] of Object.entries(revoked)) {
    const seconds: unknown = Array.isArray(entry) ? entry[0] : entry
    if (id === '' || typeof seconds !== 'number') continue
    const ageMs = typeof monotonic === 'number' ? Math.max(0, (monotonic - seconds) * 1000) : 0
    ids.push({ id, ageMs })
  }
  return ids.sort((a, b) => b.ageMs - a.ageMs)
}

/** JSON has one kind of number, Python two: a microsecond makes it a float. */
function withFraction(seconds: number): number {
  return Number.isInteger(seconds) ? seconds + 1e-6 : seconds
}
