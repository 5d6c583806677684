import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Client } from '../support/client.js'
import { taskMessage } from '../support/message.js'
import { killAllPrograms, type Program } from '../support/program.js'
import { brokerUrl } from '../support/services.js'
import { ended, inversions, readSteps } from '../support/steps.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

const ROUNDS = 4
const KEYS = 5
const BATCH = 30
/** Enough in each queue that no worker is ever idle. */
const BACKLOG = 120

/*
 * Two workers share two queues. Keyed tasks come in by a queue with a single active consumer: the broker gives its messages to one
 * worker at a time, which is what the order across workers rests on. On a plain queue with several workers there is no such order,
 * and the tasks in it have no key.
 */
describe.each(['classic', 'quorum'])('a rolling restart of two workers under load, on %s queues', (type) => {
  let client: Client
  let keyed: string
  let loose: string
  let dir: string
  let trace: string

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    const args = { 'x-queue-type': type }
    keyed = await client.queue({ ...args, 'x-single-active-consumer': true })
    loose = await client.queue(args)
    dir = await mkdtemp(join(tmpdir(), 'celeriac-rolling-'))
    trace = join(dir, 'steps.jsonl')
  })

  afterEach(async () => {
    await killAllPrograms()
    await client.close()
    await rm(dir, { recursive: true })
  })

  const start = (): Promise<Program> =>
    startWorkerProgram({
      brokerUrl: brokerUrl(),
      args: ['-Q', `${keyed},${loose}`, '-c', '8'],
      env: { STEPS_TRACE: trace },
    })

  /** Keeps both queues filled until it is told to end. @returns what was published, by key */
  async function load(goesOn: () => boolean): Promise<Map<string, number[]>> {
    const published = new Map<string, number[]>()
    let n = 0
    const next = (key: string): { n: number; ms: number } => {
      published.set(key, [...(published.get(key) ?? []), ++n])
      // One in ten takes long enough to be there when its worker is told to stop.
      return { n, ms: n % 10 === 0 ? 300 : 5 }
    }
    while (goesOn()) {
      if ((await client.depth(keyed)) < BACKLOG) {
        const keys = Array.from({ length: BATCH }, (_, at) => `k${(n + at) % KEYS}`)
        await client.publish(
          keyed,
          keys.map((key) => taskMessage('steps.step', { kwargs: { ...next(key), key } })),
        )
      }
      if ((await client.depth(loose)) < BACKLOG) {
        const messages = Array.from({ length: BATCH }, () => taskMessage('steps.loose', { kwargs: next('loose') }))
        await client.publish(loose, messages)
      }
    }
    return published
  }

  it('loses nothing, inverts nothing, and repeats nothing', async () => {
    let rolling = true
    const loading = load(() => rolling)
    const workers = [await start(), await start()]
    const stops: Array<{ pid: number; at: number }> = []
    for (let round = 0; round < ROUNDS; round++) {
      const oldest = workers.shift()
      if (!oldest) throw new Error('no worker')
      const isAtWork = (): boolean => readSteps(trace).filter(({ pid }) => pid === oldest.pid).length > 50
      await waitFor(isAtWork, { what: 'the worker to be at work' })
      stops.push({ pid: oldest.pid, at: Date.now() })
      oldest.kill('SIGTERM')
      workers.push(await start())
      expect(await oldest.exited).toEqual({ code: 0, signal: null })
    }
    rolling = false
    const published = await loading
    const count = [...published.values()].flat().length
    await waitFor(() => ended(readSteps(trace)).size === count, { what: 'every task to end' })
    for (const worker of workers) {
      worker.kill('SIGTERM')
      expect(await worker.exited).toEqual({ code: 0, signal: null })
    }
    expect([await client.depth(keyed), await client.depth(loose)]).toEqual([0, 0])

    const steps = readSteps(trace)
    const begins = new Map<number, number>()
    for (const { event, n } of steps) if (event === 'begin') begins.set(n, (begins.get(n) ?? 0) + 1)
    expect(steps.filter(({ n }) => begins.get(n) !== 1)).toEqual([])
    expect([...begins.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, at) => at + 1))
    const ordered = steps.filter(({ key }) => key !== 'loose')
    expect(inversions(ordered, published)).toEqual([])
    // That there was something to go wrong: each was stopped at work, and the keyed queue was handed on each time.
    for (const { pid, at } of stops) {
      expect(steps.filter((step) => step.pid === pid && step.event === 'end' && step.at > at)).not.toEqual([])
    }
    expect(new Set(ordered.map(({ pid }) => pid)).size).toBeGreaterThan(ROUNDS)
  })
})
