import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { coerceError } from '../errors.js'
import { PACKAGE_FOLDER, VERSION } from '../version.js'
import { CommandError, UsageError } from './usage.js'

const TEMPLATES = fileURLToPath(new URL('deploy/starter', PACKAGE_FOLDER))
/** Files that npm would leave out of its own package under their real names, or read as its own rules. */
const DOTTED: ReadonlySet<string> = new Set(['gitignore', 'dockerignore'])
/** Entries that may be in a folder that counts as empty. */
const HARMLESS: ReadonlySet<string> = new Set(['.git'])
/** The project's name, wherever it occurs in the templates. */
const NAME = /\bstarter\b/g
/** A package can't depend on one with its own name. */
const TAKEN = 'celeriac'

/**
 * Writes the project that `celeriac init` makes; its name is that of the folder.
 * @param dir the folder, relative to `cwd`: new or empty
 * @returns what to print, and what to do next
 * @throws UsageError for a folder that isn't empty, or is not a folder; CommandError if it can't be written
 */
export function writeStarter(dir: string, cwd: string): string {
  const to = resolve(cwd, dir)
  try {
    checkEmpty(to, dir)
    const files = templates()
    for (const file of files) {
      const path = join(to, DOTTED.has(file) ? `.${file}` : file)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, filled(file, packageName(to)))
    }
    const enter = to === resolve(cwd) ? [] : [`cd ${dir}`]
    const next = [...enter, 'npm install', 'npm test'].map((line) => `  ${line}\n`).join('')
    return `Wrote ${files.length} files to ${dir}. Next:\n${next}README.md says how to go on.\n`
  } catch (thrown) {
    if (thrown instanceof UsageError) throw thrown
    throw new CommandError(`could not write the project: ${coerceError(thrown).message}`)
  }
}

function templates(): string[] {
  const all = readdirSync(TEMPLATES, { recursive: true, encoding: 'utf8' })
  return all.filter((file) => statSync(join(TEMPLATES, file)).isFile())
}

function checkEmpty(path: string, dir: string): void {
  const known = statSync(path, { throwIfNoEntry: false })
  if (known === undefined) return
  if (!known.isDirectory()) throw new UsageError(`${dir} is not a folder; name a new or empty one`)
  const [first] = readdirSync(path).filter((name) => !HARMLESS.has(name))
  if (first !== undefined) {
    throw new UsageError(`the folder ${dir} is not empty (it holds ${first}, for one); name a new or empty one`)
  }
}

function filled(file: string, name: string): string {
  const text = readFileSync(join(TEMPLATES, file), 'utf8').replace(NAME, name)
  return file === 'package.json' ? text.replace('"celeriac": "*"', `"celeriac": "^${VERSION}"`) : text
}

/** The folder's name in the characters that npm allows. */
function packageName(path: string): string {
  const name = basename(path)
    .toLowerCase()
    .replace(/[^a-z\d]+/g, '-')
    .replace(/^-|-$/g, '')
  return name === '' ? 'app' : name === TAKEN ? `${name}-app` : name
}
