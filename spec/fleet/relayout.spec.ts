import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { laneName } from '../../lib/fleet/laneOf.js'
import { relayout } from '../../lib/fleet/relayout.js'
import { Client } from '../support/client.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'
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
const ETA_MS = 20_000
/** Scenes beside each other. */
const AT_A_TIME = 3

/** A queue with lanes, its workers, and what they did. */
class Scene {
  readonly published = new Map<string, number[]>()

  constructor(
    private readonly client: Client,
    readonly queue: string,
    private readonly dir: string,
  ) {}

  start(env: Record<string, string> = {}): Promise<Program> {
    return startWorkerProgram({
      brokerUrl: brokerUrl(),
      app: 'build/apps/killedAt.js',
      args: ['-Q', this.queue, '--fleet', this.queue, '-c', '4'],
      env: {
        STEPS_TRACE: this.trace,
        CELERY_WORKER_FLEET_LANES: String(BEFORE),
        // What has moved to a lane stays there for a while: a key whose messages were in two lanes would show.
        CELERY_WORKER_PARKED_LIMIT: '2',
        ...env,
      },
    })
  }

  async publish(count: number): Promise<void> {
    const { published } = this
    const from = [...published.values()].flat().length
    const messages = Array.from({ length: count }, (_, at) => {
      const n = from + at
      const key = `k${n % KEYS}`
      published.set(key, [...(published.get(key) ?? []), n])
      return taskMessage('steps.step', { kwargs: { n, key, ms: 40 } })
    })
    await this.client.publish(this.queue, messages)
  }

  async change(lanes: number, ...seconds: string[]): Promise<string> {
    const args = ['-b', brokerUrl(), 'control', '-t', '5', 'fleet_lanes', this.queue, String(lanes), ...seconds]
    const program = runProgram(process.execPath, ['bin/celeriac.js', ...args], { cwd: ROOT, env: process.env })
    await program.exited
    return program.output
  }

  /** Changes the number while messages come in, in a worker that kills itself at a step. */
  async changeUntilKilled(step: string): Promise<void> {
    const worker = await this.start({ KILLED_AT: `${BEFORE} to ${AFTER}: ${step}` })
    await worker.waitForOutput(/are moved to its 4 lanes/)
    await this.publish(150)
    void this.change(AFTER)
    await worker.waitForOutput(/4 to 7: /)
    await this.publish(150)
    expect(await worker.exited).toEqual({ code: null, signal: 'SIGKILL' })
  }

  allRun(): Promise<void> {
    const count = [...this.published.values()].flat().length
    return waitFor(() => ended(readSteps(this.trace)).size === count, { what: 'every task to end', everyMs: 100 })
  }

  expectOrder(): void {
    const { repeated, ...faults } = judge(readSteps(this.trace), this.published)
    expect(faults).toEqual({ inversions: [], overlaps: [], lost: [] })
    // At most what a killed worker was running, and what was on its way to the lanes.
    expect(repeated.length).toBeLessThanOrEqual(4 + 128)
  }

  async close(): Promise<void> {
    for (let lane = 0; lane < AFTER; lane++) await this.client.deleteQueue(laneName(this.queue, lane))
    await this.client.deleteQueue(`${this.queue}.lanes`)
    await this.client.deleteExchange(`${this.queue}.fleet`)
    await rm(this.dir, { recursive: true })
  }

  private get trace(): string {
    return join(this.dir, 'steps.jsonl')
  }
}

describe('the number of lanes', () => {
  let client: Client
  const scenes: Scene[] = []

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
  })

  afterEach(async () => {
    await killAllPrograms()
    for (const scene of scenes.splice(0)) await scene.close()
    await client.close()
  })

  async function open(): Promise<Scene> {
    const scene = new Scene(client, await client.queue(), await mkdtemp(join(tmpdir(), 'celeriac-relayout-')))
    scenes.push(scene)
    return scene
  }

  it('is changed while messages come in, and stays so: whoever starts later has it from the broker', async () => {
    const scene = await open()
    const worker = await scene.start()
    await worker.waitForOutput(new RegExp(`are moved to its ${BEFORE} lanes`))
    await scene.publish(200)
    const answer = scene.change(AFTER)
    await worker.waitForOutput(/4 to 7: /)
    await scene.publish(150)
    expect(await answer).toContain(`are being changed from ${BEFORE} to ${AFTER}`)
    await worker.waitForOutput(/4 to 7: done/)
    await worker.waitForOutput(new RegExp(`This worker gets ${AFTER} of ${AFTER} lanes of ${scene.queue};`))
    await scene.publish(150)
    await scene.allRun()
    scene.expectOrder()
    expect(await scene.change(AFTER)).toContain(`${scene.queue} has ${AFTER} lanes already`)
    worker.kill('SIGTERM')
    expect(await worker.exited).toEqual({ code: 0, signal: null })
    const next = await scene.start()
    await next.waitForOutput(new RegExp(`are moved to its ${AFTER} lanes`))
  })

  it('stays as it is where messages come back to the lanes, and the reason is told', async () => {
    const scene = await open()
    const { published, queue } = scene
    const worker = await scene.start()
    await worker.waitForOutput(/are moved to its 4 lanes/)
    const eta = new Date(Date.now() + ETA_MS).toISOString()
    await client.publish(queue, [taskMessage('steps.step', { kwargs: { n: 0, key: 'k', ms: 1 }, headers: { eta } })])
    published.set('k', [0])
    await worker.waitForOutput(/received/)
    await scene.change(AFTER, '2')
    await worker.waitForOutput(/not changed: messages came back to 1 lanes/)
    await scene.allRun()
    expect(await client.depth(queue)).toBe(0)
  })

  const steps = [
    ['the mover is being paused', BEFORE],
    ['waiting until the lanes are empty', BEFORE],
    ['waiting until nobody holds a lane', BEFORE],
    ['declaring the new lanes', BEFORE],
    ['replacing the number of lanes', BEFORE],
    ['done', AFTER],
  ] as const

  it('is one of the two, and no order is broken, when the worker is killed at any step', async () => {
    const killed = async ([step, lanes]: (typeof steps)[number]): Promise<void> => {
      const scene = await open()
      await scene.changeUntilKilled(step)
      const next = await scene.start()
      await next.waitForOutput(new RegExp(`are moved to its ${lanes} lanes`))
      await scene.allRun()
      scene.expectOrder()
    }
    // Most of it is waiting.
    for (let at = 0; at < steps.length; at += AT_A_TIME) await Promise.all(steps.slice(at, at + AT_A_TIME).map(killed))
  })

  it('is that of the settings when the worker is killed while the broker knows of no number: then all lanes are empty', async () => {
    const scene = await open()
    const { queue } = scene
    await scene.changeUntilKilled('replacing the number of lanes')
    // The next step, which the kill may have been too late for.
    await client.deleteQueue(`${queue}.lanes`)
    for (let lane = 0; lane < AFTER; lane++) expect(await client.depth(laneName(queue, lane))).toBe(0)
    const next = await scene.start({ CELERY_WORKER_FLEET_LANES: '5' })
    await next.waitForOutput(/are moved to its 5 lanes/)
    await scene.allRun()
    scene.expectOrder()
  })
})

describe('a change of the number of lanes', () => {
  const LANES = [0, 1].map((lane) => laneName('q', lane))
  const NOTHING = { ready: 0, consumers: 0 }

  it('is given up, with nothing changed, when the broker leaves a lane out of its last answer', async () => {
    const done: string[] = []
    const act = (what: string) => async (): Promise<void> => void done.push(what)
    const empty = (lanes: readonly string[]) => new Map(lanes.map((lane) => [lane, NOTHING]))
    const answers = [new Map([['q', { ready: 0, consumers: 1 }]]), empty(LANES), empty(LANES), empty(LANES.slice(1))]
    const changing = relayout({
      queue: 'q',
      type: 'classic',
      from: LANES.length,
      to: 4,
      limitMs: 1000,
      clock: new FakeClock(),
      log: new MemoryLog(),
      depths: async () => answers.shift() ?? new Map(),
      session: { declare: act('declared') },
      move: { pause: act('paused'), replace: act('replaced') },
      suspend: act('suspended'),
      share: act('shared'),
      onStep: () => undefined,
    })
    await expect(changing).rejects.toThrow('the broker does not say whether all lanes are empty')
    expect(done).toEqual(['paused', 'suspended'])
    expect(answers).toEqual([])
  })
})
