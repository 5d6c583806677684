import { spawnSync } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ConfigurationError, coerceError } from '../errors.js'

const TYPESCRIPT = /\.[cm]?tsx?$/
/** What Node prints where code can't be compiled: file and line, the line itself, the caret. */
const PICTURE = /^(file:\/\/.+|\/.+):(\d+)\n(.*)\n( *)\^/m
/** Characters of a line of code that are shown. */
const LONGEST_LINE = 200
/** A module that ends its process. */
const END = 'data:text/javascript,process.exit(0)'
/** Milliseconds allowed for compiling the app once more. */
const COMPILE_MS = 10_000

/**
 * Imports an app's module.
 * @param flag what asked for the module, for messages
 * @throws ConfigurationError that says what is wrong and where
 */
export async function importFile(file: string, specifier: string, flag: string): Promise<Record<string, unknown>> {
  const where = `${flag} ${specifier}: ${file}`
  try {
    return await orStuck(import(pathToFileURL(file).href), where)
  } catch (thrown) {
    if (thrown instanceof ConfigurationError) throw thrown
    const error = coerceError(thrown)
    if (TYPESCRIPT.test(file) && (error as NodeJS.ErrnoException).code === 'ERR_UNKNOWN_FILE_EXTENSION') {
      throw new ConfigurationError([
        `${where} is TypeScript, which this Node doesn't run; compile it (tsc) and name the .js file, or start with a loader: NODE_OPTIONS='--import tsx'`,
      ])
    }
    // A thrown value that is not an error has no place of its own.
    const place = error === thrown ? placeOf(error, file) : ''
    throw new ConfigurationError([`${where} couldn't be imported: ${error.name}: ${error.message}${place}`])
  }
}

/** If a top-level await waits for nothing, Node has nothing left to do and would exit at once, silently. */
async function orStuck<T>(loading: Promise<T>, where: string): Promise<T> {
  let onIdle = (): void => undefined
  const stuck = new Promise<never>((_, reject) => {
    onIdle = () =>
      reject(
        new ConfigurationError([
          `${where} never finishes loading: a top-level await in it, or in a module that it imports, never resolves`,
        ]),
      )
  })
  process.once('beforeExit', onIdle)
  try {
    return await Promise.race([loading, stuck])
  } finally {
    process.off('beforeExit', onIdle)
  }
}

function placeOf(error: Error, file: string): string {
  const stack = error.stack ?? ''
  const place = firstPlace(file, stack)
  // A syntax error has no frame of its own. For some, Node adds the lines to the stack; for others it prints them only
  // when it exits.
  const picture =
    PICTURE.exec(stack) ?? (error.name === 'SyntaxError' && place === null ? PICTURE.exec(compile(file)) : null)
  if (!picture) return place === null ? '' : ` (at ${place})`
  const [, path = '', line = '', code = '', indent = ''] = picture
  const shown = code.length > LONGEST_LINE ? '' : `\n    ${code}\n    ${indent}^`
  return ` (at ${pathOf(path)}:${line}:${indent.length + 1})${shown}`
}

/**
 * Compiles a module and all that it imports in another process, without running any of it: the first module to run ends
 * that process.
 */
function compile(file: string): string {
  const program = [END, pathToFileURL(file).href].map((url) => `import ${JSON.stringify(url)}`).join('\n')
  const args = [...process.execArgv, '--input-type=module', '--eval', program]
  return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: COMPILE_MS }).stderr
}

/** The first line of the stack in the module itself, or else the first in a file of the app. */
function firstPlace(file: string, stack: string): string | null {
  const places = [...stack.matchAll(/(?<![:\w])(?:file:\/\/)?(\/[^\s()]+:\d+:\d+)/g)].map(([whole]) =>
    decodePlace(whole),
  )
  return places.find((place) => place.startsWith(`${file}:`)) ?? places[0] ?? null
}

function decodePlace(place: string): string {
  const [, address = '', position = ''] = /^(.*?)((?::\d+)+)$/.exec(place) ?? []
  return `${pathOf(address)}${position}`
}

function pathOf(address: string): string {
  return address.startsWith('file://') ? fileURLToPath(address) : address
}
