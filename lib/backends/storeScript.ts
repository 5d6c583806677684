import type { Logger } from '../ports.js'
import { decodeResult, encodeResult, READY_STATES, type ResultMeta } from '../protocol/result.js'
import { BackendError } from './backendError.js'
import { RedisScript, type ScriptCommands } from './redisScript.js'

/** Redis refuses a longer value by closing the connection, which would look like an outage and be retried forever. */
const LARGEST_VALUE = 512 * 1024 * 1024

/*
 * Celery reads the key, and unless a success is stored there, sends MULTI, SETEX, PUBLISH, EXEC. Two workers that do so at once can
 * overwrite a success all the same. As a script it is one step, and one round trip. Readers see the same value, expiry and message.
 *
 * KEYS[1]  key and channel     ARGV[1]  value     ARGV[2]  seconds, 0 for ever     ARGV[3]  '1' to spare every final state
 * All that write results put `status` first, so that a long value needn't be parsed; one that doesn't begin so is parsed after all.
 */
const SCRIPT = `
local head = redis.call('GETRANGE', KEYS[1], 0, 127)
local status = string.match(head, '^%s*{%s*"status"%s*:%s*"([^"]*)"')
if not status and head ~= '' then
  local parsed, meta = pcall(cjson.decode, redis.call('GET', KEYS[1]))
  if parsed and type(meta) == 'table' then status = meta.status end
end
if status == 'SUCCESS' then return 0 end
if ARGV[3] == '1' and (status == 'FAILURE' or status == 'REVOKED') then return 0 end
if tonumber(ARGV[2]) > 0 then
  redis.call('SETEX', KEYS[1], ARGV[2], ARGV[1])
else
  redis.call('SET', KEYS[1], ARGV[1])
end
redis.call('PUBLISH', KEYS[1], ARGV[1])
return 1
`

/** The part of a Redis client that stores results. */
export interface StoreCommands extends ScriptCommands {
  get(key: string): Promise<string | null>
  set(key: string, value: string): Promise<unknown>
  setex(key: string, seconds: number, value: string): Promise<unknown>
  publish(channel: string, message: string): Promise<unknown>
}

/** The text to store for a state. @throws BackendError when it is too large; EncodeError */
export function textOf(meta: ResultMeta): string {
  const value = encodeResult(meta)
  checkSize(value, meta.taskId)
  return value
}

/** @throws BackendError for a value that Redis would not accept */
export function checkSize(value: string, id: string): void {
  if (value.length >= LARGEST_VALUE / 4 && Buffer.byteLength(value) > LARGEST_VALUE) {
    throw new BackendError(`the result of task ${id} is larger than the 512 MB that Redis takes`, {
      retriable: false,
    })
  }
}

/** Seconds in the form that Redis accepts: whole, at least 1, without an exponent; 0 for forever. */
export function expiryOf(seconds: number | null): number {
  return seconds !== null && seconds > 0 ? Math.min(Math.max(1, Math.floor(seconds)), Number.MAX_SAFE_INTEGER) : 0
}

/**
 * Stores a result unless the task has succeeded already, and publishes it: in one step, or as Celery does if scripts
 * aren't allowed.
 */
export class StoreScript {
  private readonly script: RedisScript

  constructor(
    private readonly client: StoreCommands,
    log: Logger,
  ) {
    this.script = new RedisScript(client, SCRIPT, log, 'results are stored')
  }

  /**
   * Stores a value and publishes it.
   * @param seconds whole, at least 1; 0 for forever
   * @param sparing whether any final state is kept, not only a success
   * @throws the client's error
   */
  async run(key: string, value: string, seconds: number, sparing = false): Promise<void> {
    await this.script.run([key], [value, seconds, sparing ? 1 : 0], () => this.asCommands(key, value, seconds, sparing))
  }

  /** Another worker may store a success between the read and the write, as with Celery's own workers. */
  private async asCommands(key: string, value: string, seconds: number, sparing: boolean): Promise<void> {
    const status = statusOf(await this.client.get(key))
    if (status === 'SUCCESS' || (sparing && READY_STATES.has(status))) return
    const writing = seconds > 0 ? this.client.setex(key, seconds, value) : this.client.set(key, value)
    // A waiting client must not hear of a result that isn't stored.
    await writing
    await this.client.publish(key, value)
  }
}

/** The status in a stored value; empty if there is none, or the value is not a result. */
function statusOf(value: string | null): string {
  if (value === null) return ''
  try {
    return decodeResult(value).status
  } catch {
    return ''
  }
}
