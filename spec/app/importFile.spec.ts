import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'

const COMMAND = fileURLToPath(new URL('../../bin/celeriac.js', import.meta.url))
const SWC = pathToFileURL(fileURLToPath(new URL('../../node_modules/@swc/core/index.js', import.meta.url))).href
const APP = `{ [Symbol.for('celeriac.app')]: true, main: 'demo', conf: {}, tasks: [] }`
/** Newer versions of Node run TypeScript by themselves. */
const NO_TYPESCRIPT = process.allowedNodeEnvironmentFlags.has('--experimental-strip-types')
  ? ['--no-experimental-strip-types']
  : []

/** A loader as tsx is one: what it knows is not for Node itself to know. */
const LOADER = `
import { register } from 'node:module'
register('data:text/javascript,' + encodeURIComponent(\`
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { transformSync } from '${SWC}'
export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const { code } = transformSync(readFileSync(fileURLToPath(url), 'utf8'), { jsc: { parser: { syntax: 'typescript' } } })
  return { format: 'module', source: code, shortCircuit: true }
}\`))`

// How Node loads a module, and ends: that takes the built command, in a process of its own.
describe('an app', () => {
  let cwd: string

  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(cwd, path)), { recursive: true })
    writeFileSync(join(cwd, path), text)
  }
  const start = (app: string, ...node: string[]): { status: number | null; stderr: string } => {
    // Settings that are wrong end the command once the app is loaded.
    const args = [...NO_TYPESCRIPT, ...node, COMMAND, '-A', app, 'worker', '-l', 'LOUD']
    const { status, stderr } = spawnSync(process.execPath, args, {
      cwd,
      encoding: 'utf8',
      env: { PATH: process.env.PATH },
    })
    return { status, stderr }
  }

  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'celeriac-import-'))
    write('package.json', '{ "type": "module" }')
  })

  afterEach(() => rmSync(cwd, { recursive: true }))

  it.each([
    ['itself', 'app.js'],
    ['a file that it imports', 'parts/other.js'],
  ])('that has a syntax error in %s is told with file, line, column and the line of code', (_what, file) => {
    write('app.js', `import './parts/other.js'\nconsole.error('it ran')\nexport default ${APP}`)
    write('parts/other.js', 'export {}')
    write(file, 'const a = 1\n\n  let x = ;\n')
    const { status, stderr } = start('app.js')
    expect(stderr).toContain(
      `SyntaxError: Unexpected token ';' (at ${join(cwd, file)}:3:11)\n      let x = ;\n              ^\n`,
    )
    expect(stderr).not.toContain('it ran')
    expect(stderr).not.toContain('node:internal')
    expect(status).toBe(2)
  })

  it('that imports a name which is not there is told where', () => {
    write('app.js', `import { nope } from './other.js'`)
    write('other.js', 'export const one = 1')
    expect(start('app.js').stderr).toContain(`named 'nope' (at ${cwd}/app.js:1:10)\n    import { nope } from`)
  })

  it('that waits at its top level for what never comes is told of', () => {
    write('app.js', `await new Promise(() => undefined)\nexport default ${APP}`)
    const { status, stderr } = start('app.js')
    expect(stderr).toContain(`-A app.js: ${cwd}/app.js never finishes loading: a top-level await in it`)
    expect(status).toBe(2)
  })

  it.each(['src/app.ts', 'src/app', 'src.app'])('in TypeScript (%s) is refused where Node does not run it', (app) => {
    write('src/app.ts', `const main: object = ${APP}\nexport default main`)
    const { status, stderr } = start(app)
    expect(stderr).toContain(`${cwd}/src/app.ts is TypeScript, which this Node doesn't run; compile it (tsc)`)
    expect(status).toBe(2)
  })

  it.each(['src/app.ts', 'src/app', 'src.app'])('in TypeScript (%s) is loaded where a loader runs it', (app) => {
    write('src/app.ts', `const main: object = ${APP}\nconsole.error('it ran')\nexport default main`)
    write('loader.js', LOADER)
    const { stderr } = start(app, '--import', './loader.js')
    expect(stderr).toContain('it ran')
    expect(stderr).not.toContain('-A')
  })
})
