import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { laneName } from '../../lib/fleet/laneOf.js'
import { Client } from '../support/client.js'
import { taskMessage } from '../support/message.js'
import { killAllPrograms, type Program, runProgram } from '../support/program.js'
import { brokerUrl } from '../support/services.js'
import { ended, readSteps } from '../support/steps.js'
import { waitFor } from '../support/waitFor.js'
import { ROOT, startWorkerProgram } from '../support/workerProgram.js'
import { judge } from './judge.js'

const BEFORE = 4
const AFTER = 7
const KEYS = 20
const SLOW = 300_000

describe('the number of lanes', () => {
  let client: Client
  let queue: string
  let dir: string
  let trace: string
  let published: Map<string, number[]>

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    dir = await mkdtemp(join(tmpdir(), 'celeriac-relayout-'))
    trace = join(dir, 'steps.jsonl')
    published = new Map()
  })

  afterEach(async () => {
    await killAllPrograms()
    for (let lane = 0; lane < AFTER; lane++) await client.deleteQueue(laneName(queue, lane))
    await client.deleteQueue(`${queue}.lanes`)
    await client.deleteExchange(`${queue}.fleet`)
    await client.close()
    await rm(dir, { recursive: true })
  })

  const start = async (env: Record<string, string> = {}): Promise<Program> => {
    const worker = await startWorkerProgram({
      brokerUrl: brokerUrl(),
      app: 'build/apps/killedAt.js',
      args: ['-Q', queue, '--fleet', queue, '-c', '4'],
      env: {
        STEPS_TRACE: trace,
        CELERY_WORKER_FLEET_LANES: String(BEFORE),
        // What has moved to a lane stays there for a while: a key whose messages were in two lanes would show.
        CELERY_WORKER_PARKED_LIMIT: '2',
        ...env,
      },
    })
    return worker
  }

  async function publish(count: number): Promise<void> {
    const from = [...published.values()].flat().length
    const messages = Array.from({ length: count }, (_, at) => {
      const n = from + at
      const key = `k${n % KEYS}`
      published.set(key, [...(published.get(key) ?? []), n])
      return taskMessage('steps.step', { kwargs: { n, key, ms: 40 } })
    })
    await client.publish(queue, messages)
  }

  async function change(lanes: number): Promise<string> {
    const args = ['bin/celeriac.js', '-b', brokerUrl(), 'control', '-t', '5', 'fleet_lanes', queue, String(lanes)]
    const program = runProgram(process.execPath, args, { cwd: ROOT, env: process.env })
    await program.exited
    return program.output
  }

  const allRun = (): Promise<void> => {
    const count = [...published.values()].flat().length
    return waitFor(() => ended(readSteps(trace)).size === count, { what: 'every task to end', everyMs: 100 })
  }

  function expectOrder(): void {
    const { repeated, ...faults } = judge(readSteps(trace), published)
    expect(faults).toEqual({ inversions: [], overlaps: [], lost: [] })
    // At most what a killed worker was running, and what was on its way to the lanes.
    expect(repeated.length).toBeLessThanOrEqual(4 + 128)
  }

  it(
    'is changed while messages come in, and stays so: whoever starts later has it from the broker',
    async () => {
      const worker = await start()
      await worker.waitForOutput(new RegExp(`are moved to its ${BEFORE} lanes`))
      await publish(500)
      const answer = change(AFTER)
      await worker.waitForOutput(/4 to 7: /)
      await publish(300)
      expect(await answer).toContain(`are being changed from ${BEFORE} to ${AFTER}`)
      await worker.waitForOutput(/4 to 7: done/)
      await publish(300)
      await allRun()
      expectOrder()
      expect(await change(AFTER)).toContain(`${queue} has ${AFTER} lanes already`)
      worker.kill('SIGTERM')
      expect(await worker.exited).toEqual({ code: 0, signal: null })
      const next = await start()
      await next.waitForOutput(new RegExp(`are moved to its ${AFTER} lanes`))
    },
    SLOW,
  )

  it(
    'stays as it is where messages come back to the lanes, and the reason is told',
    async () => {
      const worker = await start()
      await worker.waitForOutput(/are moved to its 4 lanes/)
      const eta = new Date(Date.now() + 90_000).toISOString()
      await client.publish(queue, [taskMessage('steps.step', { kwargs: { n: 0, key: 'k', ms: 1 }, headers: { eta } })])
      published.set('k', [0])
      await waitFor(() => worker.output.includes('received'), { what: 'the message to be received' })
      await change(AFTER)
      await worker.waitForOutput(/not changed: messages came back to 1 lanes/)
      await allRun()
      expect(await client.depth(queue)).toBe(0)
    },
    SLOW,
  )

  const steps = [
    ['the mover is being paused', BEFORE],
    ['waiting until the lanes are empty', BEFORE],
    ['waiting until nobody holds a lane', BEFORE],
    ['declaring the new lanes', BEFORE],
    ['replacing the number of lanes', BEFORE],
    ['done', AFTER],
  ] as const

  it.each(steps)(
    'is one of the two, and no order is broken, when the worker is killed at the step "%s"',
    async (step, lanes) => {
      const worker = await start({ KILLED_AT: `${BEFORE} to ${AFTER}: ${step}` })
      await worker.waitForOutput(/are moved to its 4 lanes/)
      await publish(300)
      const answer = change(AFTER)
      await worker.waitForOutput(/4 to 7: /)
      await publish(300)
      expect(await worker.exited).toEqual({ code: null, signal: 'SIGKILL' })
      await answer
      const next = await start()
      await next.waitForOutput(new RegExp(`are moved to its ${lanes} lanes`))
      await allRun()
      expectOrder()
    },
    SLOW,
  )

  it(
    'is that of the settings when the worker is killed while the broker knows of no number: then all lanes are empty',
    async () => {
      const worker = await start({ KILLED_AT: `${BEFORE} to ${AFTER}: replacing the number of lanes` })
      await worker.waitForOutput(/are moved to its 4 lanes/)
      await publish(300)
      const answer = change(AFTER)
      await worker.waitForOutput(/4 to 7: /)
      await publish(300)
      await worker.exited
      await answer
      // The next step, which the kill may have been too late for.
      await client.deleteQueue(`${queue}.lanes`)
      for (let lane = 0; lane < AFTER; lane++) expect(await client.depth(laneName(queue, lane))).toBe(0)
      const next = await start({ CELERY_WORKER_FLEET_LANES: '5' })
      await next.waitForOutput(/are moved to its 5 lanes/)
      await allRun()
      expectOrder()
    },
    SLOW,
  )
})
