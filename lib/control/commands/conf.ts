import { arch, release, type as system } from 'node:os'
import { writeJson } from '../../protocol/content/json.js'
import { wrap } from '../../protocol/content/kombuTypes.js'
import { repr } from '../../protocol/repr.js'
import { maskSecrets, maskUrl } from '../../settings/mask.js'
import { ROWS, type Settings } from '../../settings/table.js'
import { WITHOUT_EFFECT } from '../../settings/withoutEffect.js'
import { truth } from '../arguments.js'
import { command, ok } from '../command.js'
import type { ControlParts } from '../parts.js'

/** Names whose values Celery never shows. */
const HIDDEN = /API|TOKEN|KEY|SECRET|PASS|PROFANITIES_LIST|SIGNATURE|DATABASE|BEAT_DBURI/i
/** Settings that only Celeriac has, and that hold no secret: a pattern of task names may contain one of these words. */
const OPEN: ReadonlySet<string> = new Set(['task_order_by', 'task_order_key_error'])
const MASK = '********'

type ConfParts = Pick<ControlParts, 'configured' | 'main' | 'settings' | 'version'>

/** The commands that show the configuration. */
export const confCommands = [
  command({
    name: 'conf',
    kind: 'inspect',
    help: 'The settings, without their secrets.',
    aliases: ['dump_conf'],
    args: { with_defaults: truth },
    signature: '[include_defaults=False]',
    run: ({ with_defaults }, parts) => (with_defaults ? allSettings(parts) : configuredSettings(parts)),
  }),
  command({
    name: 'report',
    kind: 'inspect',
    help: 'Versions and settings, for a bug report.',
    run: (_, parts) => ok(reportOf(parts)),
  }),
]

/**
 * Returns everything that was configured, under Celery's names and without secrets, and the modules that define tasks.
 * Mirrors `Settings.table`.
 */
function configuredSettings(parts: ConfParts): Record<string, unknown> {
  const given = [...parts.configured].map(([name, value]) => [name, shownValue(name, value)])
  return {
    ...Object.fromEntries(given),
    include: shownValue('include', modulesOf(parts)),
    deprecated_settings: null,
  }
}

/** Returns the configured settings and all others with their defaults; for those without effect here, Celery's own. */
function allSettings(parts: ConfParts): Record<string, unknown> {
  const rows = [...ROWS].filter(([, row]) => !row.option)
  const values: Record<string, unknown> = { ...WITHOUT_EFFECT }
  for (const [name] of rows) values[name] = parts.settings[name as keyof Settings]
  const shown = Object.entries(values).map(([name, value]) => [name, shownValue(name, value)])
  return { ...Object.fromEntries(shown), ...configuredSettings(parts), deprecated_settings: 'set()' }
}

function modulesOf({ main, settings }: ConfParts): string[] {
  return [...new Set([main, ...settings.imports, ...settings.include])]
}

/** Returns a value as operators may see it; as text if JSON can't express it. */
export function shownValue(name: string, value: unknown): unknown {
  if (ROWS.get(name)?.secret === true && typeof value === 'string') return longer(maskUrl(value))
  try {
    const shown = wrap(OPEN.has(name) ? value : censored(name, value))
    writeJson(shown)
    return shown
  } catch {
    return repr(value)
  }
}

/** Mirrors Celery's `filter_hidden_settings`, but also looks into lists. */
function censored(name: string, value: unknown): unknown {
  if (isTable(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, censored(key, inner)]))
  }
  if (HIDDEN.test(name)) return MASK
  if (Array.isArray(value)) return value.map((item) => censored('', item))
  if (typeof value === 'function') return repr(value)
  return typeof value === 'string' ? longer(maskSecrets(value, [])) : value
}

/** Returns whether the value is an object other than a list or a value with a form of its own, such as a date. */
function isTable(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: object | null = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** Logs mask with two stars; `conf` has always had eight. */
function longer(masked: string): string {
  return masked.replaceAll(':**@', `:${MASK}@`)
}

/** Makes a bug report. Mirrors `Celery.bugreport`. */
export function reportOf(parts: ConfParts): string {
  const { main, settings, version } = parts
  const { result_backend: results } = settings
  const transport = (settings.broker_read_url ?? settings.broker_url).split('://')[0]
  const lines = Object.entries(configuredSettings(parts)).map(([name, value]) => `${name}: ${repr(value)}`)
  return `
software -> celeriac:${version} node:${process.versions.node}
            v8:${process.versions.v8} uv:${process.versions.uv}
platform -> system:${system()} arch:${arch()}
            kernel version:${release()} imp:Node.js
loader   -> ${main}
settings -> transport:${transport} results:${results === null ? 'disabled' : maskUrl(results)}

${lines.join('\n')}
`
}
