import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { loadApp } from '../../lib/app/load.js'

const app = (main: string): string => `{ [Symbol.for('celeriac.app')]: true, main: '${main}', conf: {}, tasks: [] }`

describe('loadApp', () => {
  let cwd: string

  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(cwd, path)), { recursive: true })
    writeFileSync(join(cwd, path), text)
  }
  const mainOf = async (specifier: string): Promise<string> => (await loadApp(specifier, cwd)).main

  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'celeriac-app-'))
    write('package.json', '{ "type": "module" }')
  })

  afterEach(() => rmSync(cwd, { recursive: true }))

  it.each(['dist/app.js', 'dist/app', './dist/app', 'dist.app', 'dist/app:default'])('finds %s', async (specifier) => {
    write('dist/app.js', `export default ${app('found')}`)
    expect(await mainOf(specifier)).toBe('found')
  })

  it('finds an absolute path, and the index of a directory', async () => {
    write('proj/index.js', `export default ${app('index')}`)
    expect(await mainOf(join(cwd, 'proj'))).toBe('index')
    expect(await mainOf('proj')).toBe('index')
  })

  it('finds a package', async () => {
    write('node_modules/proj/package.json', '{ "main": "main.js", "type": "module" }')
    write('node_modules/proj/main.js', `export default ${app('package')}`)
    expect(await mainOf('proj')).toBe('package')
    expect(await mainOf('proj:default')).toBe('package')
  })

  it.each([
    ['a default export', `export default ${app('x')}`],
    ['app', `export const app = ${app('x')}; export const other = ${app('y')}`],
    ['celery', `export const celery = ${app('x')}`],
    ['the only app there is', `export const thing = ${app('x')}; export const number = 5`],
  ])('takes %s', async (_what, text) => {
    write('a.js', text)
    expect(await mainOf('a')).toBe('x')
  })

  it.each([
    ['module.exports itself', `module.exports = ${app('x')}`],
    ['module.exports.app', `module.exports = { app: ${app('x')} }`],
    ['a compiled default export', `exports.__esModule = true; exports.default = ${app('x')}`],
  ])('takes %s of a CommonJS module', async (_what, text) => {
    write('a.cjs', text)
    expect(await mainOf('a')).toBe('x')
  })

  it('takes the export that is named after the colon', async () => {
    write('a.js', `export default ${app('x')}; export const second = ${app('y')}; export const no = 5`)
    expect(await mainOf('a:second')).toBe('y')
    await expect(mainOf('a:third')).rejects.toThrow(
      `-A a:third: ${cwd}/a.js has no export third; it exports default, no, second`,
    )
    await expect(mainOf('a:no')).rejects.toThrow('exports no, but it is no Celery app')
  })

  it('asks which of several apps is meant', async () => {
    write('a.js', `export const one = ${app('x')}; export const two = ${app('y')}`)
    await expect(mainOf('a')).rejects.toThrow('exports several apps (one, two); say which one, as in a:one')
  })

  it('tells what a module without an app exports', async () => {
    write('a.js', 'export const x = 5')
    await expect(mainOf('a')).rejects.toThrow(
      `-A a: ${cwd}/a.js exports no Celery app; it exports x. Write: export default new Celery('name')`,
    )
  })

  it.each([
    ['dist/app.js', '/dist/app.js. Build the project first (npm run build, or npx tsc)'],
    ['dist.app', '/dist/app.js. Build the project first (npm run build, or npx tsc)'],
    ['proj.app', '/proj/app.js, and no package "proj.app". Give the path of the compiled app, such as dist/app.js'],
    ['./nowhere', '/nowhere.js. Give the path of the compiled app, such as dist/app.js'],
  ])('says in a sentence that there is no %s, and what to do', async (specifier, text) => {
    await expect(mainOf(specifier)).rejects.toThrow(`-A ${specifier}: there is no ${cwd}${text}`)
  })

  it('tells what a module has thrown that is no error', async () => {
    write('a.js', 'throw Object.create(null)')
    await expect(mainOf('a')).rejects.toThrow(/: Error: a non-error was thrown: \[Object: null prototype\] \{\}$/)
  })

  it("tells a module's own error, and where it was thrown", async () => {
    write('a.js', `const x = 1\nthrow new RangeError('out of ' + x)\n`)
    await expect(mainOf('a')).rejects.toThrow(
      new RegExp(`^-A a: ${cwd}/a\\.js couldn't be imported: RangeError: out of 1 \\(at ${cwd}/a\\.js:2:\\d+\\)$`),
    )
  })
})
