import { type Command, Option } from 'commander'
import { flagOf, type Group, type Row } from '../settings/row.js'
import { ROWS } from '../settings/table.js'

/** Global options go before the subcommand, the others after `worker`. */
export type Scope = 'global' | 'worker'

/** Adds the options of the settings table to a command. Values stay text: the table parses them. */
export function addFlags(command: Command, scope: Scope): void {
  for (const [, row] of rowsOf(scope)) {
    for (const option of optionsOf(row)) command.addOption(option)
  }
}

/**
 * The options given on the command line, by the name of the row. Of two spellings the last in the table's order wins.
 */
export function readFlags(command: Command, scope: Scope): Record<string, unknown> {
  const given: Record<string, unknown> = {}
  for (const [name, row] of rowsOf(scope)) {
    for (const option of optionsOf(row)) {
      const attribute = option.attributeName()
      if (command.getOptionValueSource(attribute) !== 'cli') continue
      // commander takes `--no-color` for the opposite of `--color`.
      given[name] = option.negate ? true : command.getOptionValue(attribute)
    }
  }
  return given
}

/**
 * The side of the subcommand on which an option belongs, as typed (`-A`, `-Adist/app.js`, `--app=x`); undefined for
 * none.
 */
export function scopeOf(typed: string): Scope | undefined {
  const matches = (spelling: string): boolean =>
    spelling.startsWith('--') ? typed.split('=')[0] === spelling : typed.startsWith(spelling) && !typed.startsWith('--')
  return (['global', 'worker'] as const).find((scope) =>
    rowsOf(scope).some(([, row]) => flagOf(row).names.some(matches)),
  )
}

/** The words that an option of the table accepts, by its long spelling; undefined if it isn't limited to a few. */
export function wordsOfFlag(long: string): readonly string[] | undefined {
  return [...ROWS.values()].find((row) => flagOf(row).names.includes(long))?.parse.words
}

const GROUPS: readonly (Group | undefined)[] = ['Worker', 'Pool', 'Queue', 'Feature', 'Embedded Beat', 'Daemonization']

/** In the order of the help. */
function rowsOf(scope: Scope): ReadonlyArray<readonly [string, Row<unknown>]> {
  return [...ROWS]
    .filter(([, row]) => row.flag !== undefined && (row.group === undefined) === (scope === 'global'))
    .sort(([, a], [, b]) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group))
}

/**
 * commander allows one short and one long spelling for an option; others are options of their own, hidden from the
 * help.
 */
function optionsOf(row: Row<unknown>): Option[] {
  const { names, value } = flagOf(row)
  const [long = '', ...aliases] = names.filter((name) => name.startsWith('--'))
  const short = names.find((name) => !name.startsWith('--'))
  const spelled = (spelling: string): string => (value === null ? spelling : `${spelling} ${value}`)
  const main = new Option(spelled(short === undefined ? long : `${short}, ${long}`), describe(row, aliases))
  if (row.group !== undefined) main.helpGroup(`${row.group} Options:`)
  return [main, ...aliases.map((alias) => new Option(spelled(alias)).hideHelp())]
}

function describe({ doc, fallback, inert }: Row<unknown>, aliases: readonly string[]): string {
  const notes = [
    ...(aliases.length > 0 ? [`also ${aliases.join(', ')}`] : []),
    ...(typeof fallback === 'string' || typeof fallback === 'number' ? [`default: ${fallback}`] : []),
    ...(inert === undefined ? [] : ['accepted, without effect']),
  ]
  return notes.length === 0 ? doc : `${doc} (${notes.join('; ')})`
}
