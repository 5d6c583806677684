/**
 * Converts a text from a flag or the environment, or a JavaScript value from the app's configuration, to the setting's
 * value.
 */
export interface Parse<T, In = T> {
  (raw: unknown): T
  /** All accepted values, if those are a few words. */
  readonly words?: readonly string[]
  /** Only a type: what a program may write for it. The property doesn't exist. */
  readonly [INPUT]?: In
}

declare const INPUT: unique symbol

/** Headings of `celeriac worker --help`, as in Celery. */
export type Group = 'Worker' | 'Pool' | 'Queue' | 'Feature' | 'Embedded Beat' | 'Daemonization'

export interface RowExtras {
  /** Celery's spelling, then the name of the value in the help, absent for a switch: `-c, --concurrency <slots>`. */
  readonly flag?: string
  /** Heading under which the help lists the flag; global options come before the subcommand and have none. */
  readonly group?: Group
  /** Exists on the command line only: no `CELERY_<NAME>`, no entry in the app's configuration. */
  readonly option?: true
  /** Names of environment variables that take precedence over the derived ones. */
  readonly env?: readonly string[]
  /** Upper-case name from before Celery 4. */
  readonly old?: string
  /** Celery takes 0 as "not given": from any source, or only on the command line. */
  readonly zero?: 'is unset' | 'is unset in flags'
  /** Why it has no effect; logged once if it is set to something other than the default. */
  readonly inert?: string
  /**
   * The value is a URL that may hold a password, or as a whole a secret or a table with one: it is masked wherever it
   * is shown.
   */
  readonly secret?: true | 'whole'
}

/** A setting. */
export interface Row<T, In = unknown> extends RowExtras {
  /** @throws TypeError whose message says what is expected */
  readonly parse: Parse<T, In>
  readonly fallback: T
  readonly doc: string
}

/** Creates a row of the table. */
export function row<T, In = T>(
  parse: Parse<T, In>,
  fallback: NoInfer<T>,
  doc: string,
  extras: RowExtras = {},
): Row<T, In> {
  return { parse, fallback, doc, ...extras }
}

/** Returns the spellings of a row's flag (`-c`, `--concurrency`), and the name of its value; null for a switch. */
export function flagOf(of: RowExtras): { readonly names: readonly string[]; readonly value: string | null } {
  const [spellings = '', value] = (of.flag ?? '').split(/ (?=<)/)
  return { names: spellings === '' ? [] : spellings.split(', '), value: value ?? null }
}

/**
 * Returns the environment names of a row, the strongest first: its own, the one that click derives from the flag
 * (`CELERY_WORKER_<OPTION>`, `CELERY_<OPTION>` for a global one), `CELERY_<NAME>`.
 */
export function envNamesOf(name: string, of: RowExtras): readonly string[] {
  const long = flagOf(of).names.find((spelling) => spelling.startsWith('--'))
  const derived = long?.slice(2).replaceAll('-', '_').toUpperCase()
  const names = [...(of.env ?? [])]
  if (derived !== undefined) names.push(of.group === undefined ? `CELERY_${derived}` : `CELERY_WORKER_${derived}`)
  if (!of.option) names.push(`CELERY_${name.toUpperCase()}`)
  return [...new Set(names)]
}

/** Returns the name of a row's flag in messages: `-c/--concurrency`. */
export function flagLabel(name: string, of: RowExtras): string {
  const { names } = flagOf(of)
  return names.length === 0 ? `-- ${name.replace('_', '.')}` : names.join('/')
}
