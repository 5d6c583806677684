import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SOURCE = `
import { Celery, RemoteError, type GetOptions, type Handler, type Logger, type Settings, type StandardSchema, type TaskContext } from 'celeriac'

const app = new Celery('types', { broker_url: 'amqp://' })
app.task('a', { bind: true, params: ['x', 'y?'] }, (self: TaskContext, x: number, _y = 1) => self.request.id + x)
const wait: GetOptions = { timeout: 5 }
const handler: Handler = () => 1
export const used: [GetOptions, Handler, Logger?, Settings?, StandardSchema?] = [wait, handler]
export const failed = (error: unknown): string | null => (error instanceof RemoteError ? error.excType : null)
export default app
`

// What TypeScript makes of the package in somebody else's project.
describe('the types', () => {
  let cwd: string

  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'celeriac-types-'))
    mkdirSync(join(cwd, 'node_modules/@types'), { recursive: true })
    symlinkSync(ROOT, join(cwd, 'node_modules/celeriac'))
    symlinkSync(join(ROOT, 'node_modules/@types/node'), join(cwd, 'node_modules/@types/node'))
    writeFileSync(join(cwd, 'app.ts'), SOURCE)
  })

  afterEach(() => rmSync(cwd, { recursive: true }))

  it.each([
    ['node16', 'commonjs'],
    ['node16', 'module'],
    ['nodenext', 'commonjs'],
    ['nodenext', 'module'],
  ])('are found with module %s in a project of type %s, which then runs', (module, type) => {
    writeFileSync(join(cwd, 'package.json'), JSON.stringify({ type }))
    const tsc = join(ROOT, 'node_modules/@typescript/native/bin/tsc')
    const args = ['--module', module, '--strict', '--target', 'es2022', '--types', 'node', '--outDir', 'out', 'app.ts']
    const compiled = spawnSync(process.execPath, [tsc, ...args], { cwd, encoding: 'utf8' })
    expect(compiled.stdout).toBe('')
    expect(compiled.status).toBe(0)
    const ran = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', 'out/app.js'], {
      cwd,
      encoding: 'utf8',
    })
    expect({ status: ran.status, stderr: ran.stderr }).toEqual({ status: 0, stderr: '' })
  })
})
