import type { ChainableCommander } from 'ioredis'
import type { ChordPart, ChordStore } from '../ports.js'
import { type ChordMember, decodeMember, encodeMember, isMemberOf } from '../protocol/chordMember.js'
import { answersOf, keep, type RedisParts } from './redisKeep.js'
import { checkSize } from './storeScript.js'

/*
 * <g> is celery-taskset-meta-<group id>, with the prefix of all keys.
 *
 * <g>.j   the members that have come to their end: a sorted set, by their place in the header; a list with `result_chord_ordered: false`
 * <g>.t   how many members were added to the header later
 * <g>.s   how many members the header had
 * <g>.c   the id of the member that completes the chord: ours alone, so that a member which is delivered again in that moment, to another
 *         worker, doesn't complete it as well
 */
/**
 * Chords counted in Redis, with the keys, commands and texts of Celery's `RedisBackend`, so that its workers count the
 * same chords.
 */
export class RedisChords implements ChordStore {
  /** @param ordered `result_chord_ordered` of `result_backend_transport_options` */
  constructor(
    private readonly redis: RedisParts,
    private readonly ordered: boolean,
  ) {}

  async setSize(groupId: string, size: number): Promise<void> {
    await this.redis.attempt(() => keep(this.redis, this.keyOf(groupId, 's'), String(size)))
  }

  async grow(groupId: string, by = 1): Promise<void> {
    const key = this.keyOf(groupId, 't')
    await this.redis.attempt(() => answersOf(this.expiring(this.redis.client.multi().incrby(key, by), key)))
  }

  async addPart(part: ChordPart): Promise<boolean> {
    const text = encodeMember(part)
    checkSize(text, part.id)
    return this.redis.attempt(async () => {
      const known = part.isRepeated ? await this.known(part) : null
      return (await this.count(part, text, known)) && (await this.claim(part))
    })
  }

  async members(groupId: string): Promise<readonly ChordMember[]> {
    const key = this.keyOf(groupId, 'j')
    const texts = await this.redis.attempt(() => this.range(key))
    return texts.map(decodeMember)
  }

  async close(groupId: string): Promise<void> {
    const keys = ['j', 't', 's', 'c'].map((key) => this.keyOf(groupId, key))
    await this.redis.attempt(() => this.redis.client.del(...keys))
  }

  /** The member's earlier result, if one was kept. */
  private async known({ groupId, groupIndex, id }: ChordPart): Promise<string | null> {
    const key = this.keyOf(groupId, 'j')
    const score = groupIndex ?? '+inf'
    const texts = this.ordered ? await this.redis.client.zrangebyscore(key, score, score) : await this.range(key)
    return texts.find((text) => isMemberOf(text, id)) ?? null
  }

  /** @returns whether the chord is complete */
  private async count(part: ChordPart, text: string, known: string | null): Promise<boolean> {
    const [j, t, s] = ['j', 't', 's'].map((key) => this.keyOf(part.groupId, key)) as [string, string, string]
    const steps = this.redis.client.multi()
    let changes = 0
    // As with results, a success is not replaced.
    if (known !== null && !isSuccess(known)) changes = this.remove(steps, j, known)
    if (known === null || changes > 0) changes += this.add(steps, j, part, text)
    if (this.ordered) steps.zcount(j, '-inf', '+inf')
    else steps.llen(j)
    const answers = await answersOf(this.expiring(steps.get(t).get(s), j, t, s))
    const [ready, added, size] = answers.slice(changes)
    // Without a size the header is still being sent, or the chord was completed. There may be more members than the size says: Celery makes
    // it smaller while it sends a group that a member of the header ends with, and then waits forever.
    return size !== null && Number(ready) >= Number(size) + Number(added ?? 0)
  }

  /** @returns the number of its commands */
  private add(steps: ChainableCommander, key: string, { groupIndex }: ChordPart, text: string): number {
    if (this.ordered) steps.zadd(key, String(groupIndex ?? '+inf'), text)
    else steps.rpush(key, text)
    return 1
  }

  /** @returns the number of its commands */
  private remove(steps: ChainableCommander, key: string, text: string): number {
    if (this.ordered) steps.zrem(key, text)
    else steps.lrem(key, '1', text)
    return 1
  }

  /** Only one member completes a chord; the same member may do so again, when its message is delivered again. */
  private async claim({ groupId, id }: ChordPart): Promise<boolean> {
    const { client, expires } = this.redis
    const key = this.keyOf(groupId, 'c')
    const claimed = expires > 0 ? await client.set(key, id, 'EX', expires, 'NX') : await client.set(key, id, 'NX')
    return claimed !== null || (await client.get(key)) === id
  }

  private range(key: string): Promise<string[]> {
    return this.ordered ? this.redis.client.zrange(key, '0', '-1') : this.redis.client.lrange(key, 0, -1)
  }

  private expiring(steps: ChainableCommander, ...keys: readonly string[]): ChainableCommander {
    if (this.redis.expires > 0) for (const key of keys) steps.expire(key, this.redis.expires)
    return steps
  }

  private keyOf(groupId: string, key: string): string {
    return `${this.redis.groupKey}${groupId}.${key}`
  }
}

function isSuccess(text: string): boolean {
  try {
    return decodeMember(text).state === 'SUCCESS'
  } catch {
    return false
  }
}
