import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Client } from '../support/client.js'
import { taskMessage } from '../support/message.js'
import { killAllPrograms } from '../support/program.js'
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.js'
import { ended, inversions, readSteps } from '../support/steps.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

const OUTAGE_MS = 5000

describe('a broker that is stopped in mid-run', () => {
  let broker: Rabbitmq
  let dir: string

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'celeriac-spec-'))
    broker = await startRabbitmq()
  })

  afterAll(async () => {
    await killAllPrograms()
    await broker.dispose()
    await rm(dir, { recursive: true })
  })

  it('is survived: consuming at the first try after its return, nothing lost, order kept', async () => {
    const trace = join(dir, 'steps.jsonl')
    const count = 2000
    const published = new Map<string, number[]>()
    let client = await Client.open(broker.url)
    const queue = await client.queue()
    await client.publish(
      queue,
      Array.from({ length: count }, (_, n) => {
        const key = `k${n % 50}`
        published.set(key, [...(published.get(key) ?? []), n])
        return taskMessage('steps.step', { kwargs: { n, key, ms: 10 } })
      }),
    )
    await client.leave()
    const worker = await startWorkerProgram({
      brokerUrl: broker.url,
      args: ['-Q', queue, '-c', '8'],
      env: { STEPS_TRACE: trace },
    })
    await waitFor(() => ended(readSteps(trace)).size > 300, { what: 'the run to be under way' })
    await broker.stop()
    // The outage itself: what is tested is that it lasts this long.
    await sleep(OUTAGE_MS)
    const before = readSteps(trace).length
    await broker.start()
    const failedTries = (): number => worker.output.split('Cannot connect to').length
    const failed = failedTries()
    await waitFor(() => readSteps(trace).length > before, { what: 'the worker to consume again' })
    // One may have been under way when the broker came back.
    expect(failedTries() - failed).toBeLessThanOrEqual(1)
    await waitFor(() => ended(readSteps(trace)).size === count, { what: 'every task to end' })
    expect(inversions(readSteps(trace), published)).toEqual([])
    worker.kill('SIGTERM')
    expect(await worker.exited).toEqual({ code: 0, signal: null })
    client = await Client.open(broker.url)
    expect(await client.depth(queue)).toBe(0)
    await client.leave()
  })
})
