import { describe, expect, it } from '@jest/globals'
import { Celery } from 'celeriac'
import { runTask, testWorker } from '../../lib/testing/index.js'
import { bestOf } from '../support/rounds.js'

const RUNS = 1000
const YARDSTICK_ROUNDS = 80
const ROUNDS = 5
/** How often the yardstick goes into a second of an ordinary processor's time. */
const A_SECOND = 9

const app = new Celery('spec')
const add = app.task('add', (x: number, y: number) => x + y)

/** Milliseconds of this process's processor time, all of its threads'. */
async function cpuMs(work: () => Promise<void> | void): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { system, user } = process.cpuUsage(before)
  return (system + user) / 1000
}

/** Work whose time is that of the machine alone: JSON there and back. */
function yardstick(): void {
  const value = Array.from({ length: 2000 }, (_, at) => ({ id: String(at), at, nested: [at, { at }] }))
  for (let round = 0; round < YARDSTICK_ROUNDS; round++) JSON.parse(JSON.stringify(value))
}

describe(`${RUNS} runs of a task cost less than a second of an ordinary processor`, () => {
  /** Processor time of the work, in such seconds: measured by the same processor, as busy as it is. */
  const secondsOf = (work: () => Promise<void>): Promise<number> => {
    const measure = async (): Promise<number> => {
      yardstick()
      const before = await cpuMs(yardstick)
      const ms = await cpuMs(work)
      const after = await cpuMs(yardstick)
      return ms / (((before + after) / 2) * A_SECOND)
    }
    return bestOf(ROUNDS, measure, (seconds) => seconds < 1)
  }

  it('by runTask', async () => {
    await runTask(add, [1, 2])
    const seconds = await secondsOf(async () => {
      for (let n = 0; n < RUNS; n++) expect(await runTask(add, [n, 1])).toBe(n + 1)
    })
    expect(seconds).toBeLessThan(1)
  })

  it('by a worker', async () => {
    await using _worker = await testWorker(app)
    const seconds = await secondsOf(async () => {
      const sent = await Promise.all(Array.from({ length: RUNS }, (_, n) => add.delay(n, 1)))
      await Promise.all(sent.map((result) => result.get({ timeout: 60 })))
    })
    expect(seconds).toBeLessThan(1)
  })
})
