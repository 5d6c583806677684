import { repr } from '../protocol/repr.js'
import { nearest } from '../settings/nearest.js'

/** A check of an option's value: null if it passes, else what was expected. */
export type Check = (value: unknown) => string | null

/** The options of one kind of call. */
export interface OptionTable {
  readonly checks: Readonly<Record<string, Check>>
  /** Options of Celery or celery-node that Celeriac doesn't have, with what to use instead. */
  readonly elsewhere: Readonly<Record<string, string>>
}

/** Characters of a wrong value that are shown. */
const SHOWN = 80

/**
 * What is wrong with the options of a call: unknown options, with a suggestion, and values of the wrong type or range.
 * An option that is undefined counts as not given.
 */
export function optionFaults(given: unknown, { checks, elsewhere }: OptionTable): string[] {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return [`the options are ${repr(given, SHOWN)}: expected an object`]
  }
  const faults: string[] = []
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(checks, name)) faults.push(unknown(name, Object.keys(checks), elsewhere))
    else if (value !== undefined) {
      const expected = checks[name]?.(value) ?? null
      if (expected !== null) faults.push(`${name} is ${repr(value, SHOWN)}: expected ${expected}`)
    }
  }
  return faults
}

/** @throws TypeError that names everything that is wrong with the options of `what` */
export function checkOptions(what: string, given: unknown, table: OptionTable): void {
  const faults = optionFaults(given, table)
  if (faults.length > 0) throw new TypeError(`${what}: ${faults.join('; ')}`)
}

/** The options without those that are undefined, which count as not given. */
export function given<Options extends object>(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options
}

function unknown(name: string, known: readonly string[], elsewhere: OptionTable['elsewhere']): string {
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  const remedy = Object.hasOwn(elsewhere, camel) ? elsewhere[camel] : undefined
  if (remedy !== undefined) return `${name} is not an option here: ${remedy}`
  const guess = known.includes(camel) ? camel : nearest(camel, known)
  return `${name} is not an option${guess === undefined ? `: expected one of ${known.join(', ')}` : `; did you mean ${guess}?`}`
}
