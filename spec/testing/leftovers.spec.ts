import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from '@jest/globals'
import { ROOT } from '../support/workerProgram.js'

const PROGRAM = `
import { Celery } from 'celeriac'
import { captureSent, runTask, testWorker } from 'celeriac/testing'

const app = new Celery('leftovers', { task_time_limit: 3600 })
const add = app.task('add', { timeLimit: 3600, softTimeLimit: 1800 }, (x, y) => x + y)
await runTask(add, [1, 2])
const sent = captureSent(app)
await add.delay(1, 2)
sent.stop()
const worker = await testWorker(app)
await (await add.delay(1, 2)).get({ timeout: 3600 })
await add.applyAsync([1, 2], {}, { countdown: 3600 })
await worker.stop()
const listeners = process.eventNames().filter((name) => String(name).startsWith('SIG'))
console.log(JSON.stringify({ active: process.getActiveResourcesInfo().filter((kind) => !/Pipe|TTY/.test(kind)), listeners }))
`

// Of its own process, since a runner has timers, too.
it('what is run for a test leaves no timer, nothing open and no listener, and the process ends by itself', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    cwd: ROOT,
  })
  expect(JSON.parse(stdout)).toEqual({ active: [], listeners: [] })
})
