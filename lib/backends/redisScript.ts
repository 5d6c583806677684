import { createHash } from 'node:crypto'
import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'

/**
 * The errors by which a server says that scripts, or the commands in them, are forbidden for this user or missing: all
 * words of one of these lines. An error about the key is not among them.
 */
const NO_SCRIPTS: readonly (readonly RegExp[])[] = [
  [/NOPERM|unknown command/i, /\beval/i],
  [/ACL failure in script/i],
  [/user executing the script|this user/i, /can't run this command/i],
]

/** The part of a Redis client that runs scripts. */
export interface ScriptCommands {
  evalsha(sha: string, keys: number, ...args: (string | number)[]): Promise<unknown>
  eval(script: string, keys: number, ...args: (string | number)[]): Promise<unknown>
}

/** A script of Redis's: many commands in one step and one round trip, as long as the server allows that. */
export class RedisScript {
  private readonly sha: string
  private allowed = true

  constructor(
    private readonly client: ScriptCommands,
    private readonly text: string,
    private readonly log: Logger,
    /** What is done by plain commands otherwise, for the log. */
    private readonly what: string,
  ) {
    this.sha = createHash('sha1').update(text).digest('hex')
  }

  /**
   * Runs the script.
   * @param plain does the same by plain commands, for a server that lets this user run no scripts
   * @throws the client's error
   */
  async run<T>(keys: readonly string[], args: readonly (string | number)[], plain: () => Promise<T>): Promise<T> {
    if (!this.allowed) return plain()
    try {
      return (await this.asScript(keys, args)) as T
    } catch (thrown) {
      const { message } = coerceError(thrown)
      if (!NO_SCRIPTS.some((words) => words.every((word) => word.test(message)))) throw thrown
      if (this.allowed)
        this.log.warning(`Redis does not let this user run scripts; ${this.what} by plain commands: ${message}`)
      this.allowed = false
      return plain()
    }
  }

  private async asScript(keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const { client, sha, text } = this
    try {
      return await client.evalsha(sha, keys.length, ...keys, ...args)
    } catch (thrown) {
      // The server was restarted, or its scripts were flushed: this also gives it the script again.
      if (!coerceError(thrown).message.startsWith('NOSCRIPT')) throw thrown
      return client.eval(text, keys.length, ...keys, ...args)
    }
  }
}
