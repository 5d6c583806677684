import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Client } from '../support/client.js'
import { taskMessage } from '../support/message.js'
import { killAllPrograms } from '../support/program.js'
import { brokerUrl } from '../support/services.js'
import { ended, inversions, readSteps } from '../support/steps.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

describe('a worker process', () => {
  let client: Client
  let queue: string
  let dir: string
  let trace: string

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    dir = await mkdtemp(join(tmpdir(), 'celeriac-spec-'))
    trace = join(dir, 'steps.jsonl')
  })

  afterEach(async () => {
    await killAllPrograms()
    await client.close()
    await rm(dir, { recursive: true })
  })

  const start = (slots: number) =>
    startWorkerProgram({
      brokerUrl: brokerUrl(),
      args: ['-Q', queue, '-c', String(slots)],
      env: { STEPS_TRACE: trace },
    })

  async function publish(count: number, keys: number, ms: number): Promise<Map<string, number[]>> {
    const published = new Map<string, number[]>()
    const messages = Array.from({ length: count }, (_, n) => {
      const key = `k${n % keys}`
      published.set(key, [...(published.get(key) ?? []), n])
      return taskMessage('steps.step', { kwargs: { n, key, ms } })
    })
    await client.publish(queue, messages)
    return published
  }

  it('that is killed loses nothing, inverts nothing, and repeats at most what it had in flight', async () => {
    const count = 3000
    const slots = 16
    const published = await publish(count, 100, 5)
    const first = await start(slots)
    await waitFor(() => ended(readSteps(trace)).size > count / 3, {
      what: 'a third of the tasks to end',
    })
    first.kill('SIGKILL')
    await first.exited
    const before = readSteps(trace)
    expect(ended(before).size).toBeLessThan(count)
    const second = await start(slots)
    await waitFor(() => ended(readSteps(trace)).size === count, { what: 'every task to end' })
    await waitFor(async () => (await client.depth(queue)) === 0, { what: 'the queue to be empty' })
    second.kill('SIGTERM')
    expect(await second.exited).toEqual({ code: 0, signal: null })

    const steps = readSteps(trace)
    expect(inversions(steps, published)).toEqual([])
    // In flight: what had begun and not ended, and what had ended so shortly before that its ack was still on its way.
    const killedAt = Math.max(...before.map((step) => step.at))
    const done = ended(before)
    const inFlight = new Set(
      before.filter((step) => !done.has(step.n) || step.at > killedAt - 50).map((step) => step.n),
    )
    const begins = steps.filter((step) => step.event === 'begin').map((step) => step.n)
    const repeated = begins.filter((n, at) => begins.indexOf(n) !== at)
    expect(repeated.filter((n) => !inFlight.has(n))).toEqual([])
  })

  it('that gets SIGTERM under load ends what runs, exits 0, and leaves the rest in the queue in order', async () => {
    const count = 400
    const published = await publish(count, 40, 100)
    const worker = await start(8)
    await waitFor(() => ended(readSteps(trace)).size > 40, { what: 'forty tasks to end' })
    worker.kill('SIGTERM')
    expect(await worker.exited).toEqual({ code: 0, signal: null })

    const steps = readSteps(trace)
    const done = ended(steps)
    expect(new Set(steps.map((step) => step.n))).toEqual(done)
    expect(inversions(steps, published)).toEqual([])
    const left = (await client.take(queue)).map(
      (content) => (JSON.parse(content.toString()) as [[], { n: number }])[1].n,
    )
    expect(left).toEqual(Array.from({ length: count }, (_, n) => n).filter((n) => !done.has(n)))
    expect(left.length).toBeGreaterThan(0)
  })
})
