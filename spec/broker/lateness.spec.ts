import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { Client } from '../support/client.js'
import { taskMessage } from '../support/message.js'
import { ownBroker } from '../support/ownBroker.js'
import { ping } from '../support/pinger.js'
import { killAllPrograms, type Program } from '../support/program.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

const brokerUrl = ownBroker()
const SLOTS = 1000
const PINGS = 1000
const ROUNDS = 3
/** What pings may add to the lateness of a task. */
const MOST_MS = 10

interface Lateness {
  readonly begun: number
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly most: number
}

describe('remote control and the tasks that run beside it', () => {
  let client: Client
  let dir: string

  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    dir = await mkdtemp(join(tmpdir(), 'celeriac-spec-'))
  })

  afterEach(killAllPrograms)

  afterAll(async () => {
    await client.close()
    await rm(dir, { recursive: true })
  })

  it('answers 1,000 pings without making a task late by more than 10 ms', async () => {
    const queue = await client.queue()
    await client.publish(
      queue,
      Array.from({ length: SLOTS + 500 }, (_, n) => taskMessage('lateness.watch', { kwargs: { n } })),
    )
    const trace = join(dir, 'watch.jsonl')
    const worker = await start(queue, 'watched@spec', trace)
    await waitFor(async () => (await lateness(worker, trace)).begun === SLOTS, {
      what: 'every slot to be busy',
    })
    const rounds: Array<{ took: number[]; without: Lateness; during: Lateness }> = []
    for (let round = 0; round < ROUNDS; round++) {
      await lateness(worker, trace)
      await quiet()
      const without = await lateness(worker, trace)
      const took = await ping(brokerUrl(), 'watched@spec', PINGS)
      rounds.push({ took, without, during: await lateness(worker, trace) })
    }
    // What else runs on the machine can only make things later: the best round is the truest.
    const best = (of: (round: (typeof rounds)[number]) => number): number => Math.min(...rounds.map(of))
    expect(best(({ without }) => without.count)).toBeGreaterThan(SLOTS)
    expect(best(({ during }) => during.count)).toBeGreaterThan(SLOTS / 10)
    expect(best(({ took }) => took[Math.floor(PINGS * 0.99)] ?? Number.NaN)).toBeLessThan(50)
    expect(best(({ during }) => during.p99) - best(({ without }) => without.p99)).toBeLessThan(MOST_MS)
  })

  it('answers while the event loop is busy for nine of ten milliseconds', async () => {
    const queue = await client.queue()
    await client.publish(queue, [taskMessage('lateness.burn', {})])
    const trace = join(dir, 'burn.jsonl')
    const worker = await start(queue, 'burning@spec', trace)
    await waitFor(async () => (await lateness(worker, trace)).begun === 1, {
      what: 'the burning task',
    })
    const took = await ping(brokerUrl(), 'burning@spec', 200)
    // Each of its turns waits for the burning one to end: the usual answer is what this is about, not the worst of a busy machine.
    expect(took[100]).toBeLessThan(50)
  })
})

function start(queue: string, nodename: string, trace: string): Promise<Program> {
  return startWorkerProgram({
    brokerUrl: brokerUrl(),
    app: 'build/apps/lateness.js',
    args: ['-Q', queue, '-c', String(SLOTS), '-n', nodename],
    env: { LATENESS_TRACE: trace },
  })
}

/** What the tasks have seen since this was last asked. */
async function lateness(worker: Program, trace: string): Promise<Lateness> {
  const before = await lines(trace)
  worker.kill('SIGUSR2')
  await waitFor(async () => (await lines(trace)).length > before.length, { what: 'the lateness' })
  const [last = ''] = (await lines(trace)).slice(-1)
  return JSON.parse(last) as Lateness
}

async function lines(trace: string): Promise<string[]> {
  const text = await readFile(trace, 'utf8').catch(() => '')
  return text.split('\n').slice(0, -1)
}

/** As long as the pings are going to take, or longer: the tasks have something to be compared with. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2000))
}
