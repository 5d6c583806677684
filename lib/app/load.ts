import { ConfigurationError } from '../errors.js'
import { APP_BRAND, type App } from './app.js'
import { findModule } from './findModule.js'
import { importFile } from './importFile.js'

const ATTRIBUTE = /:([A-Za-z_$][\w$]*)$/

/**
 * Imports the app that `-A` names: a file with or without extension (`dist/app.js`, `./dist/app`), a dotted path as
 * Python users write it (`proj.app`), or a package. A name after a colon is that of the export; without it: the default
 * export, `app`, `celery`, or the only app there is.
 * @param cwd the directory from which paths and packages are resolved
 * @throws ConfigurationError that says what is wrong, where, and what to do
 */
export async function loadApp(specifier: string, cwd: string): Promise<App> {
  const attribute = ATTRIBUTE.exec(specifier)?.[1]
  const path = specifier.replace(ATTRIBUTE, '')
  const file = findModule(path, cwd, '-A')
  return pickApp(await importFile(file, specifier, '-A'), attribute, `-A ${specifier}: ${file}`)
}

/**
 * Imports a module of `include` or `imports`, for the tasks that it registers. It is looked up like the app's module.
 * @throws ConfigurationError as `loadApp`
 */
export async function loadModule(specifier: string, cwd: string): Promise<void> {
  await importFile(findModule(specifier, cwd, '-I/--include'), specifier, '-I/--include')
}

/** Whether a value is an app, of this copy of the package or of another. */
export function isApp(value: unknown): value is App {
  return typeof value === 'object' && value !== null && (value as Partial<App>)[APP_BRAND] === true
}

function pickApp(module: Record<string, unknown>, attribute: string | undefined, where: string): App {
  const main = module.default as Record<string, unknown> | null | undefined
  const inner = typeof main === 'object' && main !== null && !isApp(main) ? main : {}
  const exports: Record<string, unknown> = { ...inner, ...module }
  if (attribute !== undefined) {
    const value = exports[attribute]
    if (isApp(value)) return value
    throw new ConfigurationError([
      `${where} ${attribute in exports ? `exports ${attribute}, but it is no Celery app` : `has no export ${attribute}`}; ${listing(exports)}`,
    ])
  }
  // A CommonJS module compiled from `export default` has its app one level deeper.
  const preferred = [main, inner.default, exports.app, exports.celery].find(isApp)
  if (preferred) return preferred
  const apps = Object.keys(exports).filter((name) => isApp(exports[name]))
  const [only] = apps
  if (only !== undefined && apps.length === 1) return exports[only] as App
  throw new ConfigurationError([
    apps.length > 1
      ? `${where} exports several apps (${apps.join(', ')}); say which one, as in ${where.split(' ')[1]?.replace(/:$/, '')}:${only}`
      : `${where} exports no Celery app; ${listing(exports)}. Write: export default new Celery('name')`,
  ])
}

function listing(exports: Record<string, unknown>): string {
  const names = Object.keys(exports)
  return names.length === 0 ? 'it exports nothing' : `it exports ${names.join(', ')}`
}
