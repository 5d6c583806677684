import type { GroupStore } from '../ports.js'
import { decodeGroup, encodeGroup } from '../protocol/groupResult.js'
import type { ResultTuple } from '../protocol/result.js'
import { keep, type RedisParts } from './redisKeep.js'
import { checkSize } from './storeScript.js'

/** Groups in Redis, under `celery-taskset-meta-<id>`, as Celery keeps them. */
export class RedisGroups implements GroupStore {
  constructor(private readonly redis: RedisParts) {}

  async save(id: string, group: ResultTuple): Promise<void> {
    const text = encodeGroup(group)
    checkSize(text, id)
    await this.redis.attempt(() => keep(this.redis, this.keyOf(id), text))
  }

  async restore(id: string): Promise<ResultTuple | null> {
    const text = await this.redis.attempt(() => this.redis.client.get(this.keyOf(id)))
    return text === null ? null : decodeGroup(text)
  }

  async delete(id: string): Promise<void> {
    await this.redis.attempt(() => this.redis.client.del(this.keyOf(id)))
  }

  private keyOf(id: string): string {
    return `${this.redis.groupKey}${id}`
  }
}
