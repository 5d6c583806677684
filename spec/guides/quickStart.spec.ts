import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { PYTHON } from '../support/peers.js'
import { killAllPrograms, runProgram } from '../support/program.js'
import { randomQueue } from '../support/randomName.js'
import { brokerUrl } from '../support/services.js'
import { ROOT } from '../support/workerProgram.js'
import { readGuide } from './guide.js'

const [INSTALL = '', APP = '', RUN = '', SEND = ''] = readGuide('README.md').blocks.map(({ text }) => text)

// What somebody types who has read nothing but the README's first screen.
describe('the quick start of the README', () => {
  let cwd: string

  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'celeriac-start-'))
    mkdirSync(join(cwd, 'node_modules'))
    symlinkSync(ROOT, join(cwd, 'node_modules/celeriac'))
  })

  afterEach(async () => {
    await killAllPrograms()
    rmSync(cwd, { recursive: true })
  })

  it('runs a first task from Python', async () => {
    const queue = randomQueue()
    const env = { ...process.env, CELERY_BROKER_URL: brokerUrl(), PATH: `${dirname(PYTHON)}:${process.env.PATH}` }
    const shell = (text: string) =>
      runProgram('sh', ['-c', text.replace('short-running', queue)], {
        cwd,
        env: { ...env, CELERY_WORKER_HTTP: '127.0.0.1:0' },
      })
    expect(INSTALL).toBe('npm install celeriac')
    writeFileSync(join(cwd, 'app.mjs'), APP)
    expect(RUN).toMatch(/^npx celeriac /)
    const worker = shell(RUN.replace('npx celeriac', `exec ${process.execPath} node_modules/celeriac/bin/celeriac.js`))
    await worker.waitForOutput(/ ready\.$/m)
    const sender = shell(SEND)
    expect(await sender.exited).toMatchObject({ code: 0 })
    expect(sender.stdout).toBe('3\n')
  })
})
