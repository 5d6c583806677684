import { inspect, isDeepStrictEqual } from 'node:util'
import { crossCheck } from './checks.js'
import { MASK, maskUrl } from './mask.js'
import { meaningOf } from './names.js'
import { envNamesOf, flagLabel, type Row } from './row.js'
import { ROWS, type Settings } from './table.js'

/** Where settings come from, the weakest source first. */
export interface Sources {
  /** Configuration of the app, under Celery's names. */
  readonly config: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Values from the command line, by the name of the row: a text, or true for a switch. */
  readonly flags: Readonly<Record<string, unknown>>
  /** Name of a value from `flags` in messages; by default the flag. */
  nameOf?(name: string): string
}

export interface Loaded {
  /** The settings, frozen. A faulty one has its default. */
  readonly settings: Settings
  /**
   * Every setting that was given, from any source, including those equal to their defaults and those without effect.
   * Options are not settings.
   */
  readonly configured: ReadonlyMap<string, unknown>
  /** Warnings for the log about settings without effect. */
  readonly warnings: readonly string[]
  /** Everything that can't be accepted: each fault says where the value came from, what it is and what is accepted. */
  readonly faults: readonly string[]
}

interface Given {
  readonly raw: unknown
  /** Name of the source in messages. */
  readonly origin: string
  readonly warning?: string
}

/** `docker run --env-file` keeps the quotes that a shell or systemd would take away. */
const QUOTED = /^(["']).*\1$/s

const LONGEST_SHOWN = 80

/** Combines the settings: default, then app configuration, then environment, then flag. Does no I/O. */
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
    if (given.warning !== undefined) warnings.push(given.warning)
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
  // Each row has added its parsed value or its default, which is how the type is defined.
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

/**
 * Reads the configuration by current names, together with the name it was given under.
 * @param ignored receives names that are not settings here
 */
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

/**
 * Returns the strongest source that gives a row its value. An empty environment variable counts as absent, as in click.
 */
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
  for (const variable of envNamesOf(name, row)) {
    // Docker and systemd keep the line ends of Windows in an env file, and nothing meant ends like that.
    const raw = env[variable]?.replace(/\r$/, '')
    if (raw === '' || !isGiven(raw)) continue
    const warning = `${variable}: the quotes around the value are part of it; remove them unless that is meant`
    return { raw, origin: variable, ...(QUOTED.test(String(raw)) ? { warning } : {}) }
  }
  const configured = config.get(name)
  if (configured?.raw === null) return isNone(row) ? configured : undefined
  return configured && isGiven(configured.raw, true) ? configured : undefined
}

/** Returns whether null, in the configuration of an app, is a value other than the default: no limit, or no end. */
function isNone(row: Row<unknown>): boolean {
  try {
    return row.fallback !== null && row.parse(null) === null
  } catch {
    return false
  }
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
