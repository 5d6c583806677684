import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ConfigurationError, coerceError } from '../errors.js'
import { APP_BRAND, type App } from './app.js'

const EXTENSIONS = ['', '.js', '.mjs', '.cjs', '/index.js'] as const
const ATTRIBUTE = /:([A-Za-z_$][\w$]*)$/
const TYPESCRIPT = /\.[cm]?tsx?$/

/**
 * Imports the app that `-A` names: a file with or without extension (`dist/app.js`, `./dist/app`), a dotted path as Python users write it
 * (`proj.app`), or a package; after a colon the name of the export. Without that: the default export, `app`, `celery`, or the only app there is.
 * @param cwd the directory that paths and packages are looked for from
 * @throws ConfigurationError that names what was tried and what to do
 */
export async function loadApp(specifier: string, cwd: string): Promise<App> {
  const attribute = ATTRIBUTE.exec(specifier)?.[1]
  const path = specifier.replace(ATTRIBUTE, '')
  const file = findModule(path, cwd)
  return pickApp(await importFile(file, specifier), attribute, `-A ${specifier}: ${file}`)
}

/**
 * Imports a module of `include` or `imports`, for the tasks that it registers. Found like the app's.
 * @throws ConfigurationError as `loadApp`
 */
export async function loadModule(specifier: string, cwd: string): Promise<void> {
  await importFile(findModule(specifier, cwd, '-I/--include'), specifier, '-I/--include')
}

/** An app of this copy of the package or of another. */
export function isApp(value: unknown): value is App {
  return typeof value === 'object' && value !== null && (value as Partial<App>)[APP_BRAND] === true
}

function findModule(path: string, cwd: string, flag = '-A'): string {
  const dotted = /^[\w$-]+(\.[\w$-]+)+$/.test(path) ? [path.replaceAll('.', '/')] : []
  const tried = [path, ...dotted].flatMap((base) => EXTENSIONS.map((extension) => resolve(cwd, base + extension)))
  const file = tried.find(isFile)
  if (file !== undefined && (!TYPESCRIPT.test(file) || runsTypeScript())) return file
  const source = file ?? [path, ...dotted].map((base) => resolve(cwd, `${base}.ts`)).find(isFile)
  if (source !== undefined) {
    throw fault(
      flag,
      path,
      `${source} is TypeScript, which this Node doesn't run; compile it (tsc) and name the .js file`,
    )
  }
  const found = packageFile(path, cwd)
  if (found !== null) return found
  throw fault(
    flag,
    path,
    `no such module; tried ${tried.join(', ')} and the package ${JSON.stringify(path)}. Give the path of the compiled app, such as dist/app.js`,
  )
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function runsTypeScript(): boolean {
  return Boolean((process.features as { typescript?: unknown }).typescript)
}

function packageFile(name: string, cwd: string): string | null {
  if (name.startsWith('.') || name.startsWith('/')) return null
  try {
    const found = createRequire(join(cwd, 'package.json')).resolve(name)
    return found.startsWith('/') ? found : null
  } catch {
    return null
  }
}

async function importFile(file: string, specifier: string, flag = '-A'): Promise<Record<string, unknown>> {
  try {
    return await import(pathToFileURL(file).href)
  } catch (thrown) {
    const error = coerceError(thrown)
    const place = placeIn(file, error.stack ?? '')
    throw new ConfigurationError([
      `${flag} ${specifier}: ${file} couldn't be imported: ${error.name}: ${error.message}${place === null ? '' : ` (at ${place})`}`,
    ])
  }
}

/** The first line of the stack that is in the module itself, else the first with a file in it. */
function placeIn(file: string, stack: string): string | null {
  const places = [...stack.matchAll(/(?:file:\/\/)?(\/[^\s()]+:\d+(?::\d+)?)/g)].map((found) => {
    const [whole, path = ''] = found
    return whole.startsWith('file://') ? decodePlace(whole) : path
  })
  return places.find((place) => place.startsWith(`${file}:`)) ?? places[0] ?? null
}

function decodePlace(url: string): string {
  const [, address = '', line = ''] = /^(.*?)((?::\d+)+)$/.exec(url) ?? []
  return `${fileURLToPath(address)}${line}`
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
  // A CommonJS module that was compiled from `export default` has its app one level further in.
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

function fault(flag: string, specifier: string, text: string): ConfigurationError {
  return new ConfigurationError([`${flag} ${specifier}: ${text}`])
}
