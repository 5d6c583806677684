import { nearest } from '../settings/nearest.js'
import { flagLabel, flagOf } from '../settings/row.js'
import { ROWS, type SettingName } from '../settings/table.js'

/** Settings that only the command line can apply to a process. */
export const NOT_FROM_CODE = [
  'app',
  'loader',
  'config',
  'workdir',
  'no_color',
  'quiet',
  'skip_checks',
  'detach',
  'optimization',
  'beat',
  'schedule_filename',
  'scheduler',
  'logfile',
  'pidfile',
  'uid',
  'gid',
  'umask',
  'executable',
] as const satisfies readonly SettingName[]

/** Names in other libraries, and what to use here instead. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  broker: 'write brokerUrl',
  backend: 'write resultBackend',
  connection: 'write brokerUrl',
  name: 'write hostname',
  nodename: 'write hostname',
  queue: 'write queues',
  prefetch: 'write prefetchMultiplier',
  port: 'write http',
  logfile: 'write logger',
  app: 'write appModule, for the module that the children of prefork and threads load',
}

/** Returns the name of the worker option for a setting: `worker_prefetch_multiplier` is `prefetchMultiplier`. */
export function optionName(setting: string): string {
  if (setting === 'loglevel') return 'logLevel'
  const bare = setting.replace(/^worker_/, '')
  return (bare !== setting && ROWS.has(bare) ? setting : bare).replace(/_([a-z\d])/g, (_, first: string) =>
    first.toUpperCase(),
  )
}

/** The settings by the names of their options. */
export const SETTINGS: ReadonlyMap<string, string> = new Map(
  [...ROWS.keys()]
    .filter((setting) => !(NOT_FROM_CODE as readonly string[]).includes(setting))
    .map((setting) => [optionName(setting), setting]),
)

/**
 * Splits options into settings, by the names of their rows, and faults in the names.
 * @param others options that are not settings
 */
export function readOptions(
  given: Readonly<Record<string, unknown>>,
  others: readonly string[],
): { readonly flags: Readonly<Record<string, unknown>>; readonly faults: readonly string[] } {
  const flags: Record<string, unknown> = {}
  const faults: string[] = []
  for (const [name, value] of Object.entries(given)) {
    if (others.includes(name)) continue
    const setting = SETTINGS.get(name)
    if (setting === undefined) faults.push(`${name} is not an option${remedyFor(name, others)}`)
    else flags[setting] = value
  }
  return { flags, faults }
}

function remedyFor(name: string, others: readonly string[]): string {
  if (Object.hasOwn(ELSEWHERE, name)) return `; ${ELSEWHERE[name]}`
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  const meant = optionName(ROWS.has(snake) ? snake : `worker_${snake}`)
  if (SETTINGS.has(meant)) return `; write ${meant}`
  if (ROWS.has(name)) return ': it is one of the command line only'
  const known = [...SETTINGS.keys(), ...others]
  const guess = known.find((each) => each.toLowerCase() === meant.toLowerCase()) ?? nearest(meant, known)
  return guess === undefined ? ': it stands for no setting' : `; did you mean ${guess}?`
}

/** Spellings of flags, the longest first, and the options that they correspond to. */
const SPELLINGS = [...SETTINGS]
  .flatMap(([option, setting]) => {
    const row = ROWS.get(setting)
    return row?.flag === undefined
      ? []
      : [flagLabel(setting, row), ...flagOf(row).names].map((text) => ({ text, option }))
  })
  .sort((one, other) => other.text.length - one.text.length)

/** Translates a fault or warning from the words of the command line to those of a program. */
export function inOptionNames(text: string): string {
  return text.replace(/(?<![\w-])--?[A-Za-z][\w-]*(?:\/--[\w-]+)*/g, (flag) => {
    return SPELLINGS.find((spelling) => spelling.text === flag)?.option ?? flag
  })
}
