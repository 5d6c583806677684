import { nearest } from './nearest.js'
import { flagLabel } from './row.js'
import { ROWS } from './table.js'
import { WITHOUT_EFFECT } from './withoutEffect.js'

/** Celery's settings without a row: those of its latest release, and some that only an older or the next one has. */
const WITHOUT_ROW: ReadonlySet<string> = new Set([
  ...Object.keys(WITHOUT_EFFECT),
  ...'redis_backend_health_check_interval redis_client_name task_acks_on_failure task_acks_on_timeout task_cls'.split(
    ' ',
  ),
  'deprecated_settings',
])

/** Prefixes of the upper-case names from before Celery 4. */
const OLD_PREFIX = /^(?:BROKER|CELERY|CELERYD|CELERYBEAT|CONTROL|ENABLE)_/

const OLD: ReadonlyMap<string, string> = new Map(
  [...ROWS].flatMap(([name, { old }]) => (old === undefined ? [] : [[old, name] as const])),
)

/**
 * Meaning of a name in an app's configuration: a setting, perhaps under its old name, or a warning why it means
 * nothing.
 */
export type Meaning =
  | { readonly setting: string; readonly warning?: string }
  /** @property ignored the name to show it under, unless it is an option of the command line */
  | { readonly warning: string; readonly ignored?: string }

/** Looks up a name of an app's configuration. */
export function meaningOf(name: string): Meaning {
  const row = ROWS.get(name)
  if (row && !row.option) return { setting: name }
  if (row)
    return { warning: `app config ${name}: is an option of the command line only (${flagLabel(name, row)}); ignored` }
  const renamed = OLD.get(name)
  if (renamed !== undefined) {
    return {
      setting: renamed,
      warning: `app config ${name}: is the old name of ${renamed}; it counts, but write the new one`,
    }
  }
  // With a namespace, as in Django projects, CELERY_ precedes the current name in upper case.
  const bare = name.toLowerCase().replace(/^celery_/, '')
  if (WITHOUT_ROW.has(bare)) return { warning: `app config ${name}: has no effect here; ignored`, ignored: bare }
  const guess = ROWS.has(bare) ? bare : nearestSetting(name)
  if (guess !== undefined)
    return { warning: `app config ${name}: unknown setting, ignored; did you mean ${guess}?`, ignored: name }
  if (OLD_PREFIX.test(name)) return { warning: `app config ${name}: has no effect here; ignored`, ignored: name }
  return { warning: `app config ${name}: unknown setting, ignored`, ignored: name }
}

function nearestSetting(name: string): string | undefined {
  const known = [...ROWS].flatMap(([setting, row]) => (row.option ? [] : [setting]))
  return nearest(name.toLowerCase(), [...known, ...WITHOUT_ROW])
}
