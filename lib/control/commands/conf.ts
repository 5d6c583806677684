import { arch, release, type as system } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import { repr } from '../../protocol/repr.js'
import { maskSecrets, maskUrl } from '../../settings/mask.js'
import { ROWS, type Settings } from '../../settings/table.js'
import { truth } from '../arguments.js'
import { type Command, ok } from '../panel.js'
import type { ControlParts } from '../parts.js'

/** Names whose values Celery never shows. */
const HIDDEN = /API|TOKEN|KEY|SECRET|PASS|PROFANITIES_LIST|SIGNATURE|DATABASE|BEAT_DBURI/i
const MASK = '********'

type ConfParts = Pick<ControlParts, 'main' | 'settings' | 'version'>

/** The commands that show the configuration. */
export function confCommands({ main, settings, version }: ConfParts): Record<string, Command> {
  return {
    conf: ({ with_defaults }) => shownSettings(settings, truth(with_defaults)),
    report: () => ok(reportOf(settings, main, version)),
  }
}

/** The settings under Celery's names, without secrets; those that are as the table has them only if asked for. */
function shownSettings(settings: Settings, withDefaults: boolean): Record<string, unknown> {
  const shown: Record<string, unknown> = {}
  for (const [name, row] of ROWS) {
    const value: unknown = settings[name as keyof Settings]
    if (row.option || (!withDefaults && isDeepStrictEqual(value, row.fallback))) continue
    shown[name] = row.secret === true && typeof value === 'string' ? longer(maskUrl(value)) : censored(name, value)
  }
  return shown
}

/** Mirrors Celery's `filter_hidden_settings`, and goes into lists as well. */
function censored(name: string, value: unknown): unknown {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, censored(key, inner)]))
  }
  if (HIDDEN.test(name)) return MASK
  if (Array.isArray(value)) return value.map((item) => censored('', item))
  if (typeof value === 'function') return repr(value)
  return typeof value === 'string' ? longer(maskSecrets(value, [])) : value
}

/** Logs mask by two stars; `conf` has always had eight. */
function longer(masked: string): string {
  return masked.replaceAll(':**@', `:${MASK}@`)
}

function reportOf(settings: Settings, main: string, version: string): string {
  const { result_backend: results } = settings
  const transport = (settings.broker_read_url ?? settings.broker_url).split('://')[0]
  const lines = Object.entries(shownSettings(settings, false)).map(([name, value]) => `${name}: ${repr(value)}`)
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
