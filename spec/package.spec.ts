import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ROOT } from './support/workerProgram.js'

/** Without what an npm around this run passes on, such as --ignore-scripts. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))
const run = (file: string, args: readonly string[], { cwd }: { cwd: string }) =>
  promisify(execFile)(file, args, { cwd, env })
/** What a clean clone doesn't have. */
const MADE = new Set(['.git', 'build', 'coverage', 'dist', 'node_modules'])

describe('the package, packed from a clean copy and installed in an empty project', () => {
  let dir: string
  let project: string
  let files: string[]

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'celeriac-package-'))
    const copy = join(dir, 'copy')
    cpSync(ROOT, copy, { recursive: true, filter: (path) => !MADE.has(relative(ROOT, path)) })
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
    const packed = await run('npm', ['pack', '--json', '--silent', '--pack-destination', dir], { cwd: copy })
    const [{ filename, files: listed }] = JSON.parse(packed.stdout)
    files = listed.map(({ path }: { path: string }) => path)
    project = join(dir, 'project')
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), '{ "private": true }')
    const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
    await run('npm', ['install', ...flags, join(dir, filename)], { cwd: project })
  })

  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  const evaluated = async (type: 'commonjs' | 'module', text: string): Promise<string> =>
    (await run(process.execPath, [`--input-type=${type}`, '--eval', text], { cwd: project })).stdout.trim()

  it('holds the program and nothing that is only for working on it', () => {
    expect(files).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js', 'README.md']))
    expect(files.filter((path) => /^(?:spec|build|node_modules)\//.test(path))).toEqual([])
    const installed = join(project, 'node_modules/celeriac')
    for (const path of files) expect([path, existsSync(join(installed, path))]).toEqual([path, true])
  })

  it('has source maps that hold their sources', () => {
    const maps = files.filter((path) => path.endsWith('.js.map'))
    expect(maps.length).toBeGreaterThan(100)
    for (const path of maps) {
      const { sources, sourcesContent = [] } = JSON.parse(
        readFileSync(join(project, 'node_modules/celeriac', path), 'utf8'),
      )
      expect([path, sourcesContent.length]).toEqual([path, sources.length])
    }
  })

  it('can be imported and required', async () => {
    const use = 'console.log(new Celery("tasks").task("tasks.add", (x, y) => x + y).name)'
    expect(await evaluated('module', `import { Celery } from 'celeriac'; ${use}`)).toBe('tasks.add')
    // Before 22.12 Node says that it is an experiment.
    expect(await evaluated('commonjs', `const { Celery } = require('celeriac'); ${use}`)).toBe('tasks.add')
  })

  it('has a command that finds its own files', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    const { stdout } = await run('npx', ['--no-install', 'celeriac', '--version'], { cwd: project })
    expect(stdout).toContain(version)
  })
})

describe('bin/services.sh', () => {
  const installs = async (top: string): Promise<boolean> => {
    const script = '. bin/services.sh; npm() { echo "npm $*"; }; install_node_modules'
    return (await run('bash', ['-c', script], { cwd: top })).stdout.includes('npm ci')
  }

  it('installs nothing over what npm ci has installed, and installs what is missing or of another version', async () => {
    expect(await installs(ROOT)).toBe(false)
    const top = mkdtempSync(join(tmpdir(), 'celeriac-install-'))
    try {
      mkdirSync(join(top, 'bin'))
      cpSync(join(ROOT, 'bin/services.sh'), join(top, 'bin/services.sh'))
      const lock = (version: string): string =>
        JSON.stringify({
          packages: { 'node_modules/a': { version }, 'node_modules/b': { version: '1', optional: true } },
        })
      const put = (path: string, text: string): void => {
        mkdirSync(dirname(join(top, path)), { recursive: true })
        writeFileSync(join(top, path), text)
      }
      put('package-lock.json', lock('1.0.0'))
      expect(await installs(top)).toBe(true)
      put('node_modules/.package-lock.json', JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0' } } }))
      expect(await installs(top)).toBe(true)
      put('node_modules/a/package.json', '{}')
      expect(await installs(top)).toBe(false)
      put('package-lock.json', lock('1.0.1'))
      expect(await installs(top)).toBe(true)
    } finally {
      rmSync(top, { recursive: true })
    }
  })
})
