import { coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import type { ControlRequest } from '../protocol/control.js'
import { repr } from '../protocol/repr.js'
import { globToRegExp } from '../settings/glob.js'

/** The arguments of a command, as they came. */
export type Arguments = Readonly<Record<string, unknown>>

/** A command: changes or reads the worker's state and gives the value of the reply. A thrown error becomes `{"error": "..."}`. */
export type Command = (args: Arguments) => unknown

/** What Celery's handlers return. */
export const ok = (text: string): { ok: string } => ({ ok: text })
export const nok = (text: string): { error: string } => ({ error: text })

/** Python's `KeyError` and `TypeError`, whose repr is what the asker reads. */
class KeyError extends Error {
  override readonly name = 'KeyError'
}

/** Answers remote control: finds the command, runs it, and never fails. */
export class Panel {
  private readonly commands = new Map<string, Command>()

  constructor(
    private readonly nodename: string,
    private readonly log: Logger,
  ) {}

  register(commands: Readonly<Record<string, Command>>): void {
    for (const [name, command] of Object.entries(commands)) this.commands.set(name, command)
  }

  /** Whether the request is for this node: named, matched by pattern, or for all. */
  concerns({ destination, matcher, pattern }: ControlRequest): boolean {
    if (destination) return destination.includes(this.nodename)
    if (pattern === null || matcher === null) return true
    if (matcher === 'glob') return globToRegExp(pattern).test(this.nodename)
    try {
      // Python's re.match: from the beginning, not to the end.
      return new RegExp(`^(?:${pattern})`).test(this.nodename)
    } catch {
      this.log.warning(`A control message has a pattern that is no regular expression: ${pattern}`)
      return false
    }
  }

  answer({ arguments: args, method }: ControlRequest): unknown {
    try {
      const command = this.commands.get(method)
      if (!command) throw new KeyError(method)
      return command(args) ?? null
    } catch (thrown) {
      const error = repr(coerceError(thrown))
      this.log.error(`pidbox command error: ${error}`)
      return { error }
    }
  }
}
