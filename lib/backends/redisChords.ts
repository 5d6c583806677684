import { randomUUID } from 'node:crypto'
import type { ChainableCommander } from 'ioredis'
import type { ChordPart, ChordStore } from '../ports.js'
import type { BodyCopy } from '../protocol/bodyCopy.js'
import { type ChordMember, decodeMember, encodeMember, headsOf, isMemberOf } from '../protocol/chordMember.js'
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
 * <g>.c   the id of the member that completes the chord, a slash, and a name for that: ours alone, so that a member which is delivered again in that moment, to another
 *         worker, doesn't complete it as well
 * <g>.b.<id>   the name of a completion, a slash, and which copy of the body runs: ours alone, for a body that is sent twice since the
 *         worker of that member was lost
 */
/** Seconds that a copy is told apart where results are kept for ever: it comes as soon as the broker has seen the loss. */
const COPY_EXPIRES = 86_400

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

  async addPart(part: ChordPart): Promise<string | null> {
    const text = encodeMember(part)
    checkSize(text, part.id)
    return this.redis.attempt(async () => {
      const known = part.isRepeated ? await this.known(part) : null
      return (await this.count(part, text, known)) ? this.claim(part) : null
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

  takeBody({ completion, copy, groupId, id }: BodyCopy): Promise<boolean> {
    const key = this.keyOf(groupId, `b.${id}`)
    return this.redis.attempt(async () => {
      const taken = await this.take(key, completion, copy, this.redis.expires || COPY_EXPIRES)
      if (taken !== null) return taken === copy
      // The header was sent anew since then.
      await this.redis.client.set(key, `${completion}/${copy}`, 'EX', this.redis.expires || COPY_EXPIRES)
      return true
    })
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
    // A message that was sent twice, such as by a mover that was lost, is no redelivery.
    const heads = this.ordered && part.groupIndex !== null && !part.isRepeated ? headsOf(part.id) : []
    const args = [this.ordered ? 1 : 0, change.place, change.add, change.remove, this.redis.expires, ...heads]
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
  private claim({ groupId, id }: ChordPart): Promise<string | null> {
    return this.take(this.keyOf(groupId, 'c'), id, randomUUID(), this.redis.expires)
  }

  /**
   * Takes a key for somebody, unless it is taken.
   * @returns the value of whoever has it, if that is the same one; else null
   */
  private async take(key: string, who: string, value: string, expires: number): Promise<string | null> {
    const { client } = this.redis
    const text = `${who}/${value}`
    const taken = expires > 0 ? client.set(key, text, 'EX', expires, 'NX') : client.set(key, text, 'NX')
    const kept = (await taken) === null ? ((await client.get(key)) ?? text) : text
    const at = kept.lastIndexOf('/')
    return kept.slice(0, at) === who ? kept.slice(at + 1) : null
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
