/** Text from a flag or the environment, or a JavaScript value from the app's configuration, to the setting's value. */
export interface Parse<T, In = T> {
  (raw: unknown): T
  /** All that it takes, where that is a few words. */
  readonly words?: readonly string[]
  /** Only a type: what a program may write for it. There is no such property. */
  readonly [INPUT]?: In
}

declare const INPUT: unique symbol

/** The headings of `celeriac worker --help`, Celery's. */
export type Group = 'Worker' | 'Pool' | 'Queue' | 'Feature' | 'Embedded Beat' | 'Daemonization'

export interface RowExtras {
  /** Celery's spelling and then what the value is called in the help, none for a switch: `-c, --concurrency <slots>`. */
  readonly flag?: string
  /** Where the help lists the flag; global options stand before the subcommand and have none. */
  readonly group?: Group
  /** Exists on the command line only: no `CELERY_<NAME>`, no place in the app's configuration. */
  readonly option?: true
  /** Environment names beside the derived ones, and before them. */
  readonly env?: readonly string[]
  /** The upper-case name from before Celery 4. */
  readonly old?: string
  /** Celery takes a 0 for "not given": from wherever it comes, or from the command line only. */
  readonly zero?: 'is unset' | 'is unset in flags'
  /** Why it has no effect; told once to whoever sets it to something else than the default. */
  readonly inert?: string
  /** The value is a URL that may hold a password, or is as a whole a secret: that is masked wherever it is shown. */
  readonly secret?: true | 'whole'
}

/** A setting. */
export interface Row<T, In = unknown> extends RowExtras {
  /** @throws TypeError whose message says what is expected */
  readonly parse: Parse<T, In>
  readonly fallback: T
  readonly doc: string
}

/** Makes a row of the table. */
export function row<T, In = T>(
  parse: Parse<T, In>,
  fallback: NoInfer<T>,
  doc: string,
  extras: RowExtras = {},
): Row<T, In> {
  return { parse, fallback, doc, ...extras }
}

/** The spellings of a row's flag (`-c`, `--concurrency`), and the name of its value; null for a switch. */
export function flagOf(of: RowExtras): { readonly names: readonly string[]; readonly value: string | null } {
  const [spellings = '', value] = (of.flag ?? '').split(/ (?=<)/)
  return { names: spellings === '' ? [] : spellings.split(', '), value: value ?? null }
}

/**
 * The environment names of a row, the strongest first: its own, the one that click derives from the flag (`CELERY_WORKER_<OPTION>`,
 * `CELERY_<OPTION>` for a global one), `CELERY_<NAME>`.
 */
export function envNamesOf(name: string, of: RowExtras): readonly string[] {
  const long = flagOf(of).names.find((spelling) => spelling.startsWith('--'))
  const derived = long?.slice(2).replaceAll('-', '_').toUpperCase()
  const names = [...(of.env ?? [])]
  if (derived !== undefined) names.push(of.group === undefined ? `CELERY_${derived}` : `CELERY_WORKER_${derived}`)
  if (!of.option) names.push(`CELERY_${name.toUpperCase()}`)
  return [...new Set(names)]
}

/** How a message names the flag of a row: `-c/--concurrency`. */
export function flagLabel(name: string, of: RowExtras): string {
  const { names } = flagOf(of)
  return names.length === 0 ? `-- ${name.replace('_', '.')}` : names.join('/')
}
