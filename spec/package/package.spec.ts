import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ROOT } from '../support/workerProgram.js'
import { Packed, type Ran, run } from './packed.js'

const USE = 'console.log(new Celery("tasks").task("tasks.add", (x, y) => x + y).name)'
const CLEAN = { code: 0, stdout: 'tasks.add', stderr: '' }
const PROBLEMS = `
import { readFileSync } from 'node:fs'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
const found = await checkPackage(createPackageFromTarballData(readFileSync(process.argv[1])))
console.log(JSON.stringify({ problems: found.problems, entries: Object.keys(found.entrypoints) }))
`

describe('the package, packed from a clean copy and installed in an empty project', () => {
  let packed: Packed

  beforeAll(async () => {
    packed = await Packed.make()
  })

  afterAll(() => packed.dispose())

  it('holds the program and nothing that is only for working on it', () => {
    const { files, installed } = packed
    const some = ['dist/index.js', 'dist/index.d.ts', 'dist/cjs/index.js', 'dist/cli/main.js', 'README.md']
    expect(files).toEqual(expect.arrayContaining(some))
    const guide = /\.md$|^spec\/bench\/results\./
    expect(files.filter((path) => /^(?:spec|build|node_modules)\//.test(path) && !guide.test(path))).toEqual([])
    for (const path of files) expect([path, existsSync(join(installed, path))]).toEqual([path, true])
  })

  it('is installed with few other packages, and takes no more than it did', () => {
    const { bytes, packages } = packed.footprint
    expect(packages).toBeLessThanOrEqual(50)
    expect(bytes / 1e6).toBeLessThan(20)
  })

  it('names no source map, since it has none', () => {
    expect(packed.files.filter((path) => path.endsWith('.map'))).toEqual([])
    const read = (path: string): string => readFileSync(join(packed.installed, path), 'utf8')
    const code = packed.files.filter((path) => /^dist.*\.[jt]s$/.test(path))
    expect(code.filter((path) => read(path).includes('sourceMappingURL'))).toEqual([])
  })

  it('is code in few files, in which each class has the name that it was given', () => {
    const sources = readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    )
    const classes = (text: string): string[] =>
      [...text.matchAll(/^(?:export )?.*\bclass (\w+)/gm)].map(([, name = '']) => name)
    const given = new Set(sources.flatMap((file) => classes(readFileSync(join(ROOT, 'lib', file), 'utf8'))))
    const code = packed.files.filter((path) => path.startsWith('dist/') && path.endsWith('.js'))
    expect(code.length).toBeLessThan(sources.length / 10)
    const names = code.flatMap((path) => classes(readFileSync(join(packed.installed, path), 'utf8')))
    expect(names.length).toBeGreaterThan(100)
    expect(names.filter((name) => !given.has(name))).toEqual([])
  })

  it('has nothing that publint or attw would have changed', async () => {
    const linted = await run(
      process.execPath,
      [join(ROOT, 'node_modules/publint/src/cli.js'), 'run', packed.tarball, '--strict'],
      ROOT,
    )
    expect(linted).toMatchObject({ code: 0, stdout: expect.stringContaining('All good!') })
    const evaluated = ['--input-type=module', '--eval', PROBLEMS, packed.tarball]
    const checked = await run(process.execPath, evaluated, ROOT)
    const { problems, entries } = JSON.parse(checked.stdout)
    expect(problems).toEqual([])
    expect(entries).toEqual(Object.keys(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).exports))
  })

  it('can be imported and required, and is the same then', async () => {
    const imported = await packed.node('--input-type=module', '--eval', `import { Celery } from 'celeriac'; ${USE}`)
    expect(imported).toEqual(CLEAN)
    const required = ['--input-type=commonjs', '--eval', `const { Celery } = require('celeriac'); ${USE}`]
    expect(await run(process.execPath, required, packed.project)).toEqual(CLEAN)
    const both = `import { createRequire } from 'node:module'; import { Celery } from 'celeriac'
      console.log(createRequire(import.meta.url)('celeriac').Celery === Celery)`
    expect((await packed.node('--input-type=module', '--eval', both)).stdout).toBe('true')
  })

  it.each([
    ['nodenext', 'module'],
    ['nodenext', 'commonjs'],
    ['node16', 'module'],
    ['node16', 'commonjs'],
  ] as const)('has types with module %s in a project of type %s, which then runs', async (module, type) => {
    packed.isOfType(type)
    const out = `out/${module}-${type}`
    expect(await compile('--module', module, '--outDir', out)).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await packed.node(`${out}/main.js`)).toEqual(CLEAN)
  })

  it('has types for bundlers', async () => {
    packed.isOfType('module')
    const bundler = ['--module', 'esnext', '--moduleResolution', 'bundler', '--noEmit']
    const tests = ['jest.test.ts', 'vitest.test.ts']
    expect(await compile(...bundler, ...tests)).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  it.each(['module', 'commonjs'] as const)('runs from TypeScript with tsx in a project of type %s', async (type) => {
    packed.isOfType(type)
    expect(await packed.tool('tsx/dist/cli.mjs', 'main.ts')).toEqual(CLEAN)
  })

  it('runs from TypeScript where Node strips types by itself, and only there', async () => {
    packed.isOfType('module')
    const ran = await packed.node('main.ts')
    if ((process.features as { typescript?: string | false }).typescript) expect(ran).toEqual(CLEAN)
    else expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_UNKNOWN_FILE_EXTENSION') })
  })

  it('is tested with by Jest', async () => {
    packed.isOfType('module')
    const transform = { '^.+\\.ts$': [join(ROOT, 'node_modules/@swc/jest'), { jsc: { target: 'es2022' } }] }
    const config = {
      testMatch: ['<rootDir>/jest.test.ts'],
      extensionsToTreatAsEsm: ['.ts'],
      moduleNameMapper: { '^(\\./.*)\\.js$': '$1' },
      transform,
    }
    const flags = ['--config', JSON.stringify(config), '--rootDir', packed.project]
    const ran = await packed.node('--experimental-vm-modules', join(ROOT, 'node_modules/jest/bin/jest.js'), ...flags)
    expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining('3 passed, 3 total') })
  })

  it('is tested with by Vitest', async () => {
    const ran = await packed.tool('vitest/vitest.mjs', 'run', 'vitest.test.ts')
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('3 passed') })
  })

  it('is tested with by node:test, which ends by itself', async () => {
    const ran = await packed.node('--test', 'node.test.mjs', 'backend.test.mjs')
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(/fail 0/) })
    expect(ran.stdout).toContain('the backend map:// gives back a megabyte')
  })

  it('has a command that finds its own files', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    const { stdout } = await packed.command('--version')
    expect(stdout).toContain(version)
  })

  it('begins a project that passes its own tests', async () => {
    const project = packed.beside('begun')
    const inited = await packed.command('init', project)
    expect(inited).toMatchObject({ code: 0, stderr: '' })
    const manifest = join(project, 'package.json')
    // In place of the package that is published.
    const text = readFileSync(manifest, 'utf8').replace(/"celeriac": "[^"]*"/, `"celeriac": "file:${packed.tarball}"`)
    writeFileSync(manifest, text)
    const installed = await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], project)
    expect(installed).toMatchObject({ code: 0 })
    const tested = await run('npm', ['test'], project)
    expect(tested).toMatchObject({ code: 0, stdout: expect.stringMatching(/pass 2\n(.*\n)*.*fail 0/) })
    expect(await packed.command('init', project)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('not empty'),
    })
  })

  /** Strict, and with an eye on the package's own declarations too. */
  function compile(...args: string[]): Promise<Ran> {
    const strict = ['--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--types', 'node']
    return packed.tool('@typescript/native/bin/tsc', ...strict, ...args, 'main.ts')
  }
})

describe('bin/services.sh', () => {
  const installs = async (top: string): Promise<boolean> => {
    const script = '. bin/services.sh; npm() { echo "npm $*"; }; install_node_modules'
    return (await run('bash', ['-c', script], top)).stdout.includes('npm ci')
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
