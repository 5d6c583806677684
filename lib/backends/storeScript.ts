import { createHash } from 'node:crypto'
import { coerceError } from '../errors.js'

/*
 * Celery reads the key, and unless a success is stored there, sends MULTI, SETEX, PUBLISH, EXEC. Two workers that do so at once can
 * overwrite a success all the same. As a script it is one step, and one round trip. Readers see the same value, expiry and message.
 *
 * KEYS[1]  key and channel     ARGV[1]  value     ARGV[2]  seconds, 0 for ever
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
if tonumber(ARGV[2]) > 0 then
  redis.call('SETEX', KEYS[1], ARGV[2], ARGV[1])
else
  redis.call('SET', KEYS[1], ARGV[1])
end
redis.call('PUBLISH', KEYS[1], ARGV[1])
return 1
`
const SHA = createHash('sha1').update(SCRIPT).digest('hex')

/** How a script reaches the server. */
export interface ScriptCommands {
  evalsha(sha: string, key: string, ...args: (string | number)[]): Promise<unknown>
  eval(script: string, key: string, ...args: (string | number)[]): Promise<unknown>
}

/** Stores a result unless the task has succeeded already, and publishes it, in one step. */
export class StoreScript {
  constructor(private readonly commands: ScriptCommands) {}

  /**
   * @param expires whole seconds, at least 1; 0 for ever
   * @throws the client's error
   */
  async run(key: string, value: string, expires: number): Promise<void> {
    const seconds = expires > 0 ? Math.max(1, Math.floor(expires)) : 0
    try {
      await this.commands.evalsha(SHA, key, value, seconds)
    } catch (thrown) {
      // The server was restarted, or its scripts were flushed: this also gives it the script again.
      if (!coerceError(thrown).message.startsWith('NOSCRIPT')) throw thrown
      await this.commands.eval(SCRIPT, key, value, seconds)
    }
  }
}
