import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname, join, relative, resolve } from 'node:path'
import { ConfigurationError } from '../errors.js'

const EXTENSIONS = ['', '.js', '.mjs', '.cjs', '/index.js', '.ts', '.mts', '.cts', '/index.ts'] as const
/** Directories that build tools write to. */
const BUILT = /^(?:dist|build|out|lib)\//

/**
 * The file that a path, a dotted path or a package name refers to. TypeScript files are found too: whether Node can
 * load them shows when it tries, since a loader such as tsx may be in use.
 * @param cwd the directory from which paths and packages are resolved
 * @throws ConfigurationError that says what to do
 */
export function findModule(path: string, cwd: string, flag: string): string {
  const dotted = /^[\w$-]+(\.[\w$-]+)+$/.test(path) && !/\.[cm]?[jt]sx?$/.test(path) ? [path.replaceAll('.', '/')] : []
  const tried = [path, ...dotted].flatMap((base) => EXTENSIONS.map((extension) => resolve(cwd, base + extension)))
  const found = tried.find(isFile) ?? packageFile(path, cwd)
  if (found !== null) return found
  throw new ConfigurationError([`${flag} ${path}: ${missing(path, dotted[0], cwd)}`])
}

function missing(path: string, dotted: string | undefined, cwd: string): string {
  const file = resolve(cwd, dotted ?? path)
  const shown = extname(file) === '' ? `${file}.js` : file
  if (BUILT.test(relative(cwd, file)))
    return `there is no ${shown}. Build the project first (npm run build, or npx tsc)`
  const isName = !path.startsWith('.') && !path.startsWith('/')
  return `there is no ${shown}${isName ? `, and no package ${JSON.stringify(path)}` : ''}. Give the path of the compiled app, such as dist/app.js`
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
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
