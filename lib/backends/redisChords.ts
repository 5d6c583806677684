import type { ChainableCommander } from 'ioredis'
import type { ChordPart, ChordStore } from '../ports.js'
import type { BodyCopy } from '../protocol/bodyCopy.js'
import { type ChordMember, decodeMember, encodeMember, isMemberOf } from '../protocol/chordMember.js'
import { COUNT_PART } from './chordScript.js'
import { answersOf, keep, type RedisParts } from './redisKeep.js'
import { RedisScript } from './redisScript.js'
import { checkSize } from './storeScript.js'

/*
 * <g> is celery-taskset-meta-<group id>, with the prefix of all keys.
 *
 * <g>.j   the members that have come to their end: a sorted set, by their place in the header; a list with `result_chord_ordered: false`
 * <g>.t   how many members were added to the header later
 * <g>.s   how many members the header had
 * <g>.c   the id of the member that completes the chord: ours alone, so that a member which is delivered again in that moment, to another
 *         worker, doesn't complete it as well
 * <g>.b.<id>   which copy of the body runs: ours alone, for a body that is sent twice since the worker of that member was lost
 */
type Keys = readonly [members: string, added: string, size: string]

/** What a member changes: a text that is added, and one that is removed before; each may be empty for none. */
interface Change {
  readonly place: string
  readonly add: string
  readonly remove: string
}

/**
 * Chords counted in Redis, with the keys and texts of Celery's `RedisBackend`, so that its workers count the
 * same chords.
 */
export class RedisChords implements ChordStore {
  private readonly script: RedisScript

  /** @param ordered `result_chord_ordered` of `result_backend_transport_options` */
  constructor(
    private readonly redis: RedisParts,
    private readonly ordered: boolean,
  ) {
    this.script = new RedisScript(redis.client, COUNT_PART, redis.log, 'chords are counted')
  }

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

  takeBody({ copy, groupId, id }: BodyCopy): Promise<boolean> {
    return this.redis.attempt(() => this.isFirst(this.keyOf(groupId, `b.${id}`), copy))
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
    const keys: Keys = [this.keyOf(part.groupId, 'j'), this.keyOf(part.groupId, 't'), this.keyOf(part.groupId, 's')]
    // As with results, a success is not replaced.
    const keeps = known !== null && isSuccess(known)
    const change = {
      place: String(part.groupIndex ?? '+inf'),
      add: keeps ? '' : text,
      remove: keeps ? '' : (known ?? ''),
    }
    const args = [this.ordered ? 1 : 0, change.place, change.add, change.remove, this.redis.expires]
    const [ready, added, size] = await this.script.run(keys, args, () => this.countPlainly(keys, change))
    // Without a size the header is still being sent, or the chord was completed. There may be more members than the size says: Celery makes
    // it smaller while it sends a group that a member of the header ends with, and then waits forever.
    return size !== null && Number(ready) >= Number(size) + Number(added ?? 0)
  }

  /** Mirrors Celery's transaction. */
  private async countPlainly([j, t, s]: Keys, { add, place, remove }: Change): Promise<readonly unknown[]> {
    const steps = this.redis.client.multi()
    const changes = [remove, add].filter((text) => text !== '').length
    if (this.ordered) {
      if (remove !== '') steps.zrem(j, remove)
      if (add !== '') steps.zadd(j, place, add)
      steps.zcount(j, '-inf', '+inf')
    } else {
      if (remove !== '') steps.lrem(j, '1', remove)
      if (add !== '') steps.rpush(j, add)
      steps.llen(j)
    }
    const answers = await answersOf(this.expiring(steps.get(t).get(s), j, t, s))
    return answers.slice(changes)
  }

  /** Only one member completes a chord; the same member may do so again, when its message is delivered again. */
  private claim({ groupId, id }: ChordPart): Promise<boolean> {
    return this.isFirst(this.keyOf(groupId, 'c'), id)
  }

  /** Whether no other claimant has taken the key before. */
  private async isFirst(key: string, claimant: string): Promise<boolean> {
    const { client, expires } = this.redis
    const taken = expires > 0 ? client.set(key, claimant, 'EX', expires, 'NX') : client.set(key, claimant, 'NX')
    return (await taken) !== null || (await client.get(key)) === claimant
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
