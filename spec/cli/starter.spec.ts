import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { main } from '../../lib/cli/main.js'
import { VERSION } from '../../lib/version.js'
import { fakeIo } from '../support/fakeIo.js'
import { ROOT } from '../support/workerProgram.js'

const FILES = [
  '.dockerignore',
  '.gitignore',
  'Containerfile',
  'README.md',
  'compose.yaml',
  'package.json',
  'src/app.test.ts',
  'src/app.ts',
  'tsconfig.json',
]

describe('celeriac init', () => {
  let cwd: string
  let said: string

  const stream = (): Writable =>
    new Writable({
      write(chunk, _encoding, done) {
        said += String(chunk)
        done()
      },
    })
  const init = (...args: string[]): Promise<number> =>
    // No settings are needed, so wrong ones don't matter.
    main(
      ['init', ...args],
      fakeIo({ stdout: stream(), stderr: stream(), cwd: () => cwd, env: { CELERY_BROKER_URL: 'nonsense' } }),
    )
  const filesOf = (dir: string): string[] =>
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name, parentPath }) => join(parentPath, name).slice(dir.length + 1))
      .sort()
  const read = (file: string): string => readFileSync(join(cwd, file), 'utf8')

  beforeEach(() => {
    said = ''
    cwd = mkdtempSync(join(tmpdir(), 'celeriac-init-'))
  })
  afterEach(() => rmSync(cwd, { recursive: true }))

  it('writes a project, and says how to go on', async () => {
    expect(await init('Pear Shop')).toBe(0)
    expect(said).toBe(
      'Wrote 9 files to Pear Shop. Next:\n  cd Pear Shop\n  npm install\n  npm test\nREADME.md says how to go on.\n',
    )
    expect(filesOf(join(cwd, 'Pear Shop'))).toEqual(FILES)
    expect(JSON.parse(read('Pear Shop/package.json'))).toMatchObject({
      name: 'pear-shop',
      dependencies: { celeriac: `^${VERSION}` },
    })
    expect(read('Pear Shop/src/app.ts')).toContain("new Celery('pear-shop'")
  })

  it('takes the folder that it is in, even if there is a repository in it', async () => {
    mkdirSync(join(cwd, '.git'))
    expect(await init()).toBe(0)
    expect(said).not.toContain('cd ')
    expect(filesOf(cwd)).toEqual(FILES)
  })

  it('gives no package the name of the one that it depends on', async () => {
    expect(await init('celeriac')).toBe(0)
    expect(JSON.parse(read('celeriac/package.json')).name).toBe('celeriac-app')
  })

  it('writes over nothing', async () => {
    writeFileSync(join(cwd, 'mine.txt'), '')
    expect(await init('.')).toBe(2)
    expect(said).toBe('Error: the folder . is not empty (it holds mine.txt, for one); name a new or empty one\n')
    expect(filesOf(cwd)).toEqual(['mine.txt'])
    said = ''
    expect(await init('mine.txt')).toBe(2)
    expect(said).toBe('Error: mine.txt is not a folder; name a new or empty one\n')
    said = ''
    expect(await init('mine.txt/below')).toBe(1)
    expect(said).toMatch(/^Error: could not write the project: ENOTDIR/)
  })

  it('has what this repository itself is built with, and a compose file whose parts fit together', async () => {
    await init('shop')
    const own = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    const { devDependencies, engines } = JSON.parse(read('shop/package.json'))
    const { '@typescript/native': compiler, ...rest } = own.devDependencies
    expect({ ...rest, typescript: compiler.replace('npm:typescript@', '') }).toMatchObject(devDependencies)
    expect(engines).toEqual(own.engines)
    const { services } = parse(read('shop/compose.yaml'))
    expect(Object.keys(services.worker.depends_on)).toEqual(['rabbitmq', 'redis'])
    for (const name of Object.keys(services.worker.depends_on)) {
      expect(services[name].healthcheck.test).toBeDefined()
      expect(JSON.stringify(services.worker.environment)).toContain(`${name}:`)
    }
    expect(read(`shop/${services.worker.build.dockerfile}`)).toContain('EXPOSE 8080')
  })
})
