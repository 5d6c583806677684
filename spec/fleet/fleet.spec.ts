import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { laneName } from '../../lib/fleet/laneOf.js'
import { Random } from '../packit/random.js'
import { Client } from '../support/client.js'
import { taskMessage } from '../support/message.js'
import { killAllPrograms, type Program } from '../support/program.js'
import { brokerUrl } from '../support/services.js'
import { ended, readSteps } from '../support/steps.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'
import { judge } from './judge.js'

const LANES = 8
const MESSAGES = 5000
const KEYS = 200
const CHANGES = 8
/** Messages that are left when a worker goes. */
const BACKLOG = 400

describe('a fleet of workers that come and go', () => {
  let client: Client
  let queue: string
  let dir: string
  let trace: string
  let type: string
  const random = new Random('fleet')

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    dir = await mkdtemp(join(tmpdir(), 'celeriac-fleet-'))
    trace = join(dir, 'steps.jsonl')
  })

  afterEach(async () => {
    await killAllPrograms()
    for (let lane = 0; lane < LANES; lane++) await client.deleteQueue(laneName(queue, lane))
    await client.deleteExchange(`${queue}.fleet`)
    await client.close()
    await rm(dir, { recursive: true })
  })

  const start = (...args: readonly string[]): Promise<Program> =>
    startWorkerProgram({
      brokerUrl: brokerUrl(),
      args: ['-Q', queue, '-c', '4', ...args],
      env: { STEPS_TRACE: trace, CELERY_WORKER_FLEET_LANES: String(LANES), CELERY_WORKER_FLEET_QUEUE_TYPE: type },
    })

  const doneCount = (): number => ended(readSteps(trace)).size

  const totalOf = (published: ReadonlyMap<string, readonly number[]>): number => [...published.values()].flat().length

  /** A few keys have most of the messages, as builds do. @param published their numbers by key, in the order of publication */
  async function publish(count: number, published: Map<string, number[]>): Promise<void> {
    const from = totalOf(published)
    const messages = Array.from({ length: count }, (_, at) => {
      const rank = Math.min(KEYS, Math.floor((1 - random.next()) ** -1))
      const key = random.chance(0.5) ? `k${rank}` : `k${random.integer(0, KEYS)}`
      published.set(key, [...(published.get(key) ?? []), from + at])
      return taskMessage('steps.step', { kwargs: { n: from + at, key, ms: random.integer(1, 8) } })
    })
    await client.publish(queue, messages)
  }

  /** Publishes a little at a time until each of these workers has run something, so that each holds lanes. */
  async function employ(workers: readonly Program[], published: Map<string, number[]>): Promise<void> {
    const areEmployed = async (): Promise<boolean> => {
      const pids = new Set(readSteps(trace).map(({ pid }) => pid))
      if (workers.every(({ pid }) => pids.has(pid))) return true
      await publish(10, published)
      return false
    }
    await waitFor(areEmployed, { what: 'every worker to run something', everyMs: 100 })
  }

  it.each(['classic', 'quorum'])(
    'keeps the order of each key, and loses nothing, on %s queues',
    async (given) => {
      type = given
      queue = await client.queue(
        type === 'quorum' ? { 'x-queue-type': 'quorum', 'x-single-active-consumer': true } : {},
      )
      const startOne = (): Promise<Program> => start('--fleet', queue)
      const workers = await Promise.all([startOne(), startOne(), startOne()])
      const published = new Map<string, number[]>()
      let killed = 0
      for (let change = 0; change < CHANGES; change++) {
        // Every other leaver goes while lanes are still being moved to a newcomer.
        if (change % 4 < 2) await employ(workers, published)
        await publish(MESSAGES / CHANGES, published)
        const isAtWork = (): boolean => doneCount() > totalOf(published) - BACKLOG
        await waitFor(isAtWork, { what: 'the fleet to be at work', everyMs: 100 })
        const signal = change % 2 === 0 ? 'SIGTERM' : 'SIGKILL'
        const leaver = workers.splice(random.integer(0, workers.length), 1)[0]
        leaver?.kill(signal)
        if (signal === 'SIGKILL') killed++
        const [came, end] = await Promise.all([startOne(), leaver?.exited])
        expect(end).toEqual(signal === 'SIGTERM' ? { code: 0, signal: null } : { code: null, signal: 'SIGKILL' })
        workers.push(came)
      }
      await waitFor(() => doneCount() === totalOf(published), {
        what: 'every task to end',
        everyMs: 100,
        timeoutMs: 240_000,
      })
      for (const worker of workers) {
        worker.kill('SIGTERM')
        expect(await worker.exited).toEqual({ code: 0, signal: null })
      }
      const steps = readSteps(trace)
      const { repeated, ...faults } = judge(steps, published)
      expect(faults).toEqual({ inversions: [], overlaps: [], lost: [] })
      // What ran in a slot, and what its acknowledgement was lost of; and what was on its way to the lanes.
      expect(repeated.length).toBeLessThanOrEqual(killed * (4 + 128))
      expect(new Set(steps.map(({ pid }) => pid)).size).toBeGreaterThan(CHANGES / 2)
      for (let lane = 0; lane < LANES; lane++) expect(await client.depth(laneName(queue, lane))).toBe(0)
      expect(await client.depth(queue)).toBe(0)
    },
    480_000,
  )

  it('is needed: two workers on one queue without it break the order', async () => {
    type = 'classic'
    queue = await client.queue()
    const published = new Map<string, number[]>()
    await publish(1000, published)
    await Promise.all([start(), start()])
    await waitFor(() => doneCount() === 1000, { what: 'every task to end', everyMs: 100 })
    expect(judge(readSteps(trace), published).inversions).not.toEqual([])
  })
})
