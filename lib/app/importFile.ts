import { spawnSync } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ConfigurationError, coerceError } from '../errors.js'

const TYPESCRIPT = /\.[cm]?tsx?$/
/** Node's picture of where a text can't be compiled: file and line, the line, the caret. */
const PICTURE = /^(file:\/\/.+|\/.+):(\d+)\n(.*)\n( *)\^/m
/** Characters of a line of code that are shown. */
const LONGEST_LINE = 200
/** A module that ends its process. */
const END = 'data:text/javascript,process.exit(0)'
/** Time for compiling the app once more. */
const COMPILE_MS = 10_000

/**
 * Imports an app's module.
 * @param flag how a message names what has asked for it
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
    // What is no error has no place of its own.
    const place = error === thrown ? placeOf(error, file) : ''
    throw new ConfigurationError([`${where} couldn't be imported: ${error.name}: ${error.message}${place}`])
  }
}

/** A top-level await that waits for nothing leaves Node without anything to do, and it would end there and then, without a word. */
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
  // What can't be compiled has no frame of its own; Node draws a picture for some of it, and for the rest only when it ends by it.
  const picture =
    PICTURE.exec(stack) ?? (error.name === 'SyntaxError' && place === null ? PICTURE.exec(compile(file)) : null)
  if (!picture) return place === null ? '' : ` (at ${place})`
  const [, path = '', line = '', code = '', indent = ''] = picture
  const shown = code.length > LONGEST_LINE ? '' : `\n    ${code}\n    ${indent}^`
  return ` (at ${pathOf(path)}:${line}:${indent.length + 1})${shown}`
}

/** Compiles a module and all that it imports in another process, and runs none of it: the first module to run ends that process. */
function compile(file: string): string {
  const program = [END, pathToFileURL(file).href].map((url) => `import ${JSON.stringify(url)}`).join('\n')
  const args = [...process.execArgv, '--input-type=module', '--eval', program]
  return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: COMPILE_MS }).stderr
}

/** The first line of the stack that is in the module itself, else the first with a file of the app's in it. */
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
