import { inspect, isDeepStrictEqual } from 'node:util'
import { crossCheck } from './checks.js'
import { MASK, maskUrl } from './mask.js'
import { meaningOf } from './names.js'
import { envNamesOf, flagLabel, type Row } from './row.js'
import { ROWS, type Settings } from './table.js'

/** Where settings come from, the weakest first. */
export interface Sources {
  /** The app's configuration, under Celery's names. */
  readonly config: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** What the command line gave, by the name of the row: a text, or true for a switch. */
  readonly flags: Readonly<Record<string, unknown>>
  /** What a message calls that which `flags` gave; by default the flag. */
  nameOf?(name: string): string
}

export interface Loaded {
  /** Frozen. Where there was a fault, the default. */
  readonly settings: Settings
  /** All that somebody gave, by whatever way: also what equals the default, and what has no effect. Options are no settings. */
  readonly configured: ReadonlyMap<string, unknown>
  /** What was given but has no effect, for the log. */
  readonly warnings: readonly string[]
  /** Everything that can't be accepted; each says where it came from, what it is and what is accepted. */
  readonly faults: readonly string[]
}

interface Given {
  readonly raw: unknown
  /** What a message calls the place it came from. */
  readonly origin: string
}

const LONGEST_SHOWN = 80

/** Puts the settings together: default, then app configuration, then environment, then flag. Does no I/O. */
export function loadSettings(sources: Sources): Loaded {
  const warnings: string[] = []
  const faults: string[] = []
  const ignored = new Map<string, unknown>()
  const config = readConfig(sources.config, warnings, ignored)
  const values: Record<string, unknown> = {}
  const named = new Set<string>()
  for (const [name, row] of ROWS) {
    const given = giver(name, row, sources, config)
    values[name] = row.fallback
    if (!given) continue
    named.add(name)
    try {
      values[name] = row.parse(given.raw)
    } catch (thrown) {
      faults.push(`${given.origin} ${show(given.raw, row)}: ${(thrown as Error).message}`)
      continue
    }
    if (row.inert !== undefined && !isDeepStrictEqual(values[name], row.fallback)) {
      warnings.push(`${given.origin} has no effect: ${row.inert}`)
    }
  }
  // Each row has put in what it parsed, or its default; that is the type's definition.
  const checked = crossCheck(values as unknown as Settings, named)
  const settings = Object.freeze(checked.settings)
  const rows = [...named].filter((name) => !ROWS.get(name)?.option)
  return {
    settings,
    configured: new Map([...rows.map((name) => [name, settings[name as keyof Settings]] as const), ...ignored]),
    warnings: [...warnings, ...checked.warnings],
    faults: [...faults, ...checked.faults],
  }
}

/** The configuration by its present names, with the name that it was given under. @param ignored gets what is no setting here */
function readConfig(
  config: Sources['config'],
  warnings: string[],
  ignored: Map<string, unknown>,
): ReadonlyMap<string, Given> {
  const found = new Map<string, Given>()
  for (const [key, raw] of Object.entries(config)) {
    const meaning = meaningOf(key)
    if (meaning.warning !== undefined) warnings.push(meaning.warning)
    if (!('setting' in meaning)) {
      if (meaning.ignored !== undefined) ignored.set(meaning.ignored, raw)
      continue
    }
    if (meaning.setting !== key && Object.hasOwn(config, meaning.setting)) continue
    found.set(meaning.setting, { raw, origin: `app config ${key}` })
  }
  return found
}

/** The strongest source that gives a row its value. An empty environment variable counts as absent, as for click. */
function giver(
  name: string,
  row: Row<unknown>,
  { env, flags, nameOf }: Sources,
  config: ReadonlyMap<string, Given>,
): Given | undefined {
  const isGiven = (raw: unknown, inConfig = false): boolean => {
    if (raw === undefined || raw === null) return false
    const zeroIsUnset = row.zero === 'is unset' || (row.zero === 'is unset in flags' && !inConfig)
    return !(zeroIsUnset && (raw === 0 || (typeof raw === 'string' && Number(raw) === 0 && raw.trim() !== '')))
  }
  if (isGiven(flags[name])) return { raw: flags[name], origin: nameOf?.(name) ?? flagLabel(name, row) }
  const variable = envNamesOf(name, row).find((variable) => env[variable] !== '' && isGiven(env[variable]))
  if (variable !== undefined) return { raw: env[variable], origin: variable }
  const configured = config.get(name)
  return configured && isGiven(configured.raw, true) ? configured : undefined
}

function show(raw: unknown, row: Row<unknown>): string {
  const masked = row.secret === 'whole' ? MASK : row.secret ? hide(raw) : raw
  const text =
    typeof masked === 'string'
      ? JSON.stringify(masked)
      : inspect(masked, { depth: 2, breakLength: Number.POSITIVE_INFINITY })
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text
}

function hide(raw: unknown): unknown {
  if (Array.isArray(raw)) return raw.map(hide)
  return typeof raw === 'string' ? maskUrl(raw) : typeof raw
}
