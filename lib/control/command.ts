import { missingArguments } from '../protocol/missingArguments.js'
import type { Argument, Arguments } from './arguments.js'
import type { Notes } from './notes.js'
import type { ControlParts } from './parts.js'

/** What a command works with: the worker's parts, and notes that last from one call to the next. */
export type CommandParts = ControlParts & { readonly notes: Notes }

/** Arguments of a command by name, in the order in which the command line takes them. */
export type Declared = Readonly<Record<string, Argument<unknown>>>

/** The values of declared arguments. Each is read, and may be refused, when the command uses it. */
export type Values<D extends Declared> = {
  readonly [Name in keyof D]: D[Name] extends Argument<infer Value> ? Value : never
}

type Nothing = Record<never, never>

/** A remote control command as the command line offers it. */
export interface CommandInfo {
  readonly name: string
  /** `inspect` reads, `control` changes; `internal` is only sent between workers. */
  readonly kind: 'inspect' | 'control' | 'internal'
  /** Older names. */
  readonly aliases: readonly string[]
  /** The arguments in their order on the command line. */
  readonly args: readonly { readonly name: string; readonly type: Argument<unknown>['type'] }[]
  /** Arguments as the help shows them; empty for none. */
  readonly signature: string
  readonly help: string
  /** True if the worker's page offers it. */
  readonly onPage: boolean
}

/** A remote control command: how it is called, and what it does. */
export interface Command extends CommandInfo {
  /**
   * Reads or changes the worker's state.
   * @returns the value of the reply, or a promise of it; `NO_REPLY` for none
   * @throws an error, sent as `{"error": "..."}`: TypeError in Python's words for a missing argument or one of the
   * wrong type, ValueError
   */
  answer(given: Arguments, parts: CommandParts): unknown
}

export interface Declaration<A extends Declared, M extends Declared> {
  readonly name: string
  readonly kind: CommandInfo['kind']
  readonly help: string
  readonly aliases?: readonly string[]
  readonly args?: A
  /** Arguments that only messages have, as those of Celery's own handlers that its command line doesn't offer. */
  readonly more?: M
  readonly signature?: string
  readonly onPage?: boolean
  run(args: Values<A & M>, parts: CommandParts): unknown
}

/** Returned by a command that sends no reply at all. */
export const NO_REPLY: unique symbol = Symbol('no reply')

/** Replies in the form of Celery's handlers. */
export const ok = (text: string): { ok: string } => ({ ok: text })
export const nok = (text: string): { error: string } => ({ error: text })

/**
 * Declares a remote control command. Its name, arguments and help are defined only here: the panel, the command line
 * and the page use them. Mirrors Celery's `control_command` and `inspect_command`.
 */
export function command<const A extends Declared = Nothing, const M extends Declared = Nothing>({
  aliases = [],
  args,
  help,
  kind,
  more,
  name,
  onPage = false,
  run,
  signature = '',
}: Declaration<A, M>): Command {
  const declared: Declared = { ...args, ...more }
  const needed = Object.keys(declared).filter((each) => declared[each]?.required)
  return {
    name,
    kind,
    aliases,
    args: Object.entries(args ?? {}).map(([each, { type }]) => ({ name: each, type })),
    signature,
    help,
    onPage,
    answer(given, parts) {
      const without = needed.filter((each) => given[each] === undefined)
      if (without.length > 0) throw missingArguments(name, without.length, without)
      return run(valuesOf(declared, given) as Values<A & M>, parts)
    },
  }
}

/** Values are read one by one, so that a command that refuses for another reason reports that one, as Celery's does. */
function valuesOf(declared: Declared, given: Arguments): object {
  const values = {}
  for (const [name, argument] of Object.entries(declared)) {
    Object.defineProperty(values, name, { enumerable: true, get: () => argument.read(given[name], name) })
  }
  return values
}
