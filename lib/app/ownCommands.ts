import { repr } from '../protocol/repr.js'
import { fn, plainObject, text } from './optionChecks.js'
import { type Check, checkOptions, type OptionTable } from './options.js'

/** The TypeScript types of a command's arguments, by their kind. */
export interface ArgumentValues {
  /** Any text. */
  readonly text: string
  /** A whole number. */
  readonly int: number
  /** Any number. */
  readonly float: number
  /** `true` or `false`. */
  readonly bool: boolean
  /** All remaining words. */
  readonly list: readonly unknown[]
}

/** The kind of a command's argument. */
export type ArgumentKind = keyof ArgumentValues

/** The arguments of a command in the order of the command line; with `?` if optional. A list comes last. */
export type CommandArguments = Readonly<Record<string, ArgumentKind | `${ArgumentKind}?`>>

/** The values of a command's arguments; undefined for one that was left out. */
export type CommandValues<Args extends CommandArguments> = {
  readonly [Name in keyof Args]: Args[Name] extends `${infer Kind extends ArgumentKind}?`
    ? ArgumentValues[Kind] | undefined
    : Args[Name] extends ArgumentKind
      ? ArgumentValues[Args[Name]]
      : never
}

/** The worker that runs a command. */
export interface CommandWorker {
  /** The node name, such as `celery@host`. */
  readonly nodename: string
}

/** A remote control command of an application. */
export interface CommandOptions<Args extends CommandArguments> {
  /** The arguments; none by default. */
  readonly args?: Args
  /** One line that says what it does. */
  readonly help: string
  /**
   * Returns the reply, as a value or a promise; it must be possible to write it as JSON. An error that is thrown
   * becomes the reply `{ error: ... }`.
   */
  run(args: CommandValues<Args>, worker: CommandWorker): unknown
}

/** A command as an app has defined it. @internal */
export interface OwnCommand {
  readonly name: string
  readonly kind: 'inspect' | 'control'
  readonly args: CommandArguments
  readonly help: string
  run(args: Readonly<Record<string, unknown>>, worker: CommandWorker): unknown
}

const KINDS: ReadonlySet<unknown> = new Set(
  ['text', 'int', 'float', 'bool', 'list'].flatMap((kind) => [kind, `${kind}?`]),
)

/**
 * The names of the remote control commands that every worker has, including old names and Celery's `report`: no app can
 * define one of them. @internal
 */
export const commandNames: ReadonlySet<string> = new Set(
  `active active_queues add_consumer autoscale cancel_consumer clock conf disable_events dump_active dump_conf dump_reserved
  dump_revoked dump_schedule dump_tasks election enable_events fleet fleet_lanes heartbeat hello lanes memdump memsample objgraph parked ping
  pool_grow pool_restart pool_shrink query_task rate_limit registered report reserved revoke revoke_by_stamped_headers revoked
  scheduled shutdown slots stats terminate time_limit unblock`.split(/\s+/),
)

/** A name must not look like a flag on the command line; there is no other restriction. */
const NAME = /^[A-Za-z_][\w.-]*$/

const args: Check = (given) => {
  const expected = plainObject(given)
  if (expected !== null) return expected
  const kinds = Object.values(given as object)
  if (!kinds.every((kind) => KINDS.has(kind)))
    return 'text, int, float, bool or list for each, with ? if it may be left out'
  if (kinds.slice(0, -1).some((kind) => String(kind).startsWith('list'))) return 'a list as the last one only'
  const optional = kinds.map((kind) => String(kind).endsWith('?'))
  return optional.some((each, at) => !each && optional[at - 1] === true)
    ? 'those that may be left out behind those that may not'
    : null
}

const OPTIONS: OptionTable = {
  checks: { args, help: text, run: fn },
  elsewhere: {
    alias: 'define a second command',
    variadic: "write args: { name: 'list' }",
    signature: 'it is made from args',
    visible: 'every command is listed',
  },
}

/** The remote control commands of an app, by name. */
export class OwnCommands implements Iterable<OwnCommand> {
  private readonly told = new Set<(command: OwnCommand) => void>()
  private readonly all = new Map<string, OwnCommand>()

  /** @throws TypeError for a name that is wrong or taken, and for wrong options */
  add<Args extends CommandArguments>(kind: OwnCommand['kind'], name: string, options: CommandOptions<Args>): void {
    const call = `app.${kind}Command(${repr(name, 80)})`
    if (typeof name !== 'string' || !NAME.test(name)) {
      throw new TypeError(`${call}: expected a name of letters, digits and _ that begins with a letter`)
    }
    if (commandNames.has(name)) throw new TypeError(`${call}: every worker has a command of that name; choose another`)
    if (this.all.has(name)) throw new TypeError(`${call}: the command is defined twice`)
    checkOptions(call, options, OPTIONS)
    const { args = {}, help, run } = options
    if (help === undefined || run === undefined) throw new TypeError(`${call}: expected both help and run`)
    const command = { name, kind, args, help, run: run as OwnCommand['run'] }
    this.all.set(name, command)
    for (const tell of this.told) tell(command)
  }

  /** Calls `tell` for each command that is added from now on, such as after a worker has started. @returns ends it */
  onAdd(tell: (command: OwnCommand) => void): () => void {
    this.told.add(tell)
    return () => void this.told.delete(tell)
  }

  [Symbol.iterator](): Iterator<OwnCommand> {
    return this.all.values()
  }
}
