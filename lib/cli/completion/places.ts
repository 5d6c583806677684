import type { Command, Option } from 'commander'
import { COMMANDS } from '../../control/commands/index.js'
import { wordsOfFlag } from '../flags.js'

/** A command, or one of a few possible words of an argument. */
export interface Word {
  readonly word: string
  readonly help: string
}

/** The value of an option: none, a file name, one of a few words, or any text. */
export type Value = 'nothing' | 'file' | 'text' | readonly string[]

/** An option with all of its spellings. */
export interface Flag {
  readonly names: readonly string[]
  readonly help: string
  readonly value: Value
}

/** A place where the cursor may be, and what may be typed there. */
export interface Place {
  /** The commands before it: empty, `worker`, or `list bindings`. */
  readonly path: string
  readonly words: readonly Word[]
  readonly flags: readonly Flag[]
  /** Whether the argument is the name of a file or directory. */
  readonly files: boolean
}

/** The placeholders of options and arguments whose value is a file. */
const FILES = /<(?:file|directory|module)>/
const FILE_ARGUMENTS: ReadonlySet<string> = new Set(['dir', 'file'])

/** Everything that may be typed after `celeriac`, derived from the program and the table of remote control commands. */
export function placesOf(command: Command, path = ''): readonly Place[] {
  const help = command.createHelp()
  const commands = help.visibleCommands(command)
  const [argument] = command.registeredArguments
  const words = [
    ...commands.map((each) => ({ word: each.name(), help: each.description() })),
    ...(argument?.argChoices ?? []).map((word) => ({ word, help: '' })),
    ...COMMANDS.filter(({ kind }) => kind === path).map(({ name, help }) => ({ word: name, help })),
  ]
  const place: Place = {
    path,
    words,
    flags: help.visibleOptions(command).map(flagFrom),
    files: argument !== undefined && FILE_ARGUMENTS.has(argument.name()),
  }
  const below = commands.flatMap((each) => placesOf(each, `${path} ${each.name()}`.trimStart()))
  return [place, ...below]
}

/** Flags that take a value, with the place that they belong to: their values on a command line are not commands. */
export function valued(places: readonly Place[]): ReadonlyArray<{ readonly path: string; readonly flag: Flag }> {
  return places.flatMap(({ flags, path }) =>
    flags.filter(({ value }) => value !== 'nothing').map((flag) => ({ path, flag })),
  )
}

function flagFrom({ description, flags, long, required, short }: Option): Flag {
  const names = [short, long].filter((name) => name !== undefined)
  const words = long === undefined ? undefined : wordsOfFlag(long)
  const value = !required ? 'nothing' : (words ?? (FILES.test(flags) ? 'file' : 'text'))
  return { names, help: description, value }
}
