import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { bestOf } from '../support/rounds.js'
import { ROOT } from '../support/workerProgram.js'

const RUNS = 1000
const ROUNDS = 5

/** Prints the processor time of the runs, in seconds of an ordinary processor: measured by the same one, as busy as it is. */
const program = (prepare: string, work: string): string => `
import { Celery } from 'celeriac'
import { runTask, testWorker } from 'celeriac/testing'

const YARDSTICK_ROUNDS = 80
/** How often the yardstick goes into a second of an ordinary processor's time. */
const A_SECOND = 9

const app = new Celery('speed')
const add = app.task('add', (x, y) => x + y)

/** Milliseconds of this process's processor time, all of its threads'. */
async function cpuMs(work) {
  const before = process.cpuUsage()
  await work()
  const { system, user } = process.cpuUsage(before)
  return (system + user) / 1000
}

/** Work whose time is that of the machine alone: JSON there and back. */
function yardstick() {
  const value = Array.from({ length: 2000 }, (_, at) => ({ id: String(at), at, nested: [at, { at }] }))
  for (let round = 0; round < YARDSTICK_ROUNDS; round++) JSON.parse(JSON.stringify(value))
}

${prepare}
yardstick()
const before = await cpuMs(yardstick)
const ms = await cpuMs(async () => {
  ${work}
})
const after = await cpuMs(yardstick)
console.log(ms / (((before + after) / 2) * A_SECOND))
process.exit()
`

const BY_RUN_TASK = program(
  'await runTask(add, [1, 2])',
  `for (let n = 0; n < ${RUNS}; n++) if ((await runTask(add, [n, 1])) !== n + 1) throw new Error('a wrong sum')`,
)
const BY_WORKER = program(
  'await testWorker(app)',
  `const sent = await Promise.all(Array.from({ length: ${RUNS} }, (_, n) => add.delay(n, 1)))
  await Promise.all(sent.map((result) => result.get({ timeout: 60 })))`,
)

// Of their own processes: in a runner's, what other specs have loaded costs with each collection of garbage.
describe(`${RUNS} runs of a task cost less than a second of an ordinary processor`, () => {
  it.each([
    ['by runTask', BY_RUN_TASK],
    ['by a worker', BY_WORKER],
  ])('%s', async (_, text) => {
    const measure = async (): Promise<number> => {
      const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', text], { cwd: ROOT })
      return Number((await run).stdout)
    }
    const seconds = await bestOf(ROUNDS, measure, (found) => found < 1)
    expect(seconds).toBeGreaterThan(0)
    expect(seconds).toBeLessThan(1)
  })
})
