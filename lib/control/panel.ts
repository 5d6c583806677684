import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import type { ControlRequest } from '../protocol/control.js'
import { repr } from '../protocol/repr.js'
import { type Arguments, KeyError } from './arguments.js'
import { NO_REPLY } from './command.js'
import { matchesNode } from './nodePattern.js'

/**
 * Returns the value of the reply, or a promise of it; `NO_REPLY` for none. A thrown error becomes `{"error": "..."}`.
 */
export type Answerer = (args: Arguments) => unknown

/** Answers remote control: finds the command, runs it, and never fails. */
export class Panel {
  private readonly commands = new Map<string, Answerer>()

  constructor(
    private readonly nodename: string,
    private readonly log: Logger,
  ) {}

  /** Registers commands by their names. */
  register(commands: Readonly<Record<string, Answerer>>): void {
    for (const [name, command] of Object.entries(commands)) this.commands.set(name, command)
  }

  /** Names and aliases of the registered commands. */
  get names(): readonly string[] {
    return [...this.commands.keys()]
  }

  /** Returns whether the request is for this node: by name, by pattern, or for all. */
  concerns({ destination, matcher, pattern }: ControlRequest): boolean {
    if (destination) return destination.includes(this.nodename)
    if (pattern === null || matcher === null) return true
    try {
      return matchesNode(this.nodename, matcher, pattern)
    } catch (thrown) {
      const why = coerceError(thrown).message
      this.log.warning(
        `A control message was ignored: its pattern ${repr(pattern, 100)} can't be used: ${repr(why, 200)}`,
      )
      return false
    }
  }

  /**
   * Returns the value of the reply, or a promise of it; null if there is nothing to say; undefined if no reply is to be
   * sent.
   */
  answer({ arguments: args, method }: ControlRequest): unknown {
    try {
      const command = this.commands.get(method)
      if (!command) throw new KeyError(method)
      const value = command(args)
      if (value instanceof Promise) return value.catch((thrown) => this.fail(thrown))
      return value === NO_REPLY ? undefined : (value ?? null)
    } catch (thrown) {
      return this.fail(thrown)
    }
  }

  private fail(thrown: unknown): { error: string } {
    const error = repr(coerceError(thrown))
    this.log.error(`pidbox command error: ${error}`)
    return { error }
  }
}
