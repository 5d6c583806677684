import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Client } from '../support/client.js'
import { taskMessage } from '../support/message.js'
import { killAllPrograms, type Program } from '../support/program.js'
import { brokerUrl } from '../support/services.js'
import { ended, readSteps } from '../support/steps.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

describe('the ways to stop a worker that runs long tasks', () => {
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

  /** A worker with two tasks running, of so many milliseconds. */
  async function busyWorker(ms: number, args: string[] = [], env: Record<string, string> = {}): Promise<Program> {
    await client.publish(
      queue,
      [0, 1].map((n) => taskMessage('steps.step', { kwargs: { n, key: `k${n}`, ms } })),
    )
    const worker = await startWorkerProgram({
      brokerUrl: brokerUrl(),
      args: ['-Q', queue, '-c', '2', ...args],
      env: { STEPS_TRACE: trace, ...env },
    })
    await waitFor(() => readSteps(trace).length === 2, { what: 'both tasks to begin' })
    return worker
  }

  const backInQueue = (count: number): Promise<void> =>
    waitFor(async () => (await client.depth(queue)) === count, {
      what: `${count} messages in the queue`,
    })

  it('TERM waits for them, a second TERM changes nothing, and the exit code is 0', async () => {
    const worker = await busyWorker(1000)
    worker.kill('SIGTERM')
    await worker.waitForOutput(/worker: Warm shutdown \(MainProcess\)/)
    worker.kill('SIGTERM')
    expect(await worker.exited).toEqual({ code: 0, signal: null })
    expect(ended(readSteps(trace)).size).toBe(2)
    await backInQueue(0)
  })

  for (const [what, streams, args] of [
    ['stdout', ['stdout'], []],
    ['stdout and stderr', ['stdout', 'stderr'], []],
    ['stdout and stderr of a worker with child processes', ['stdout', 'stderr'], ['-P', 'prefork']],
    ['stdout and stderr of a worker with threads', ['stdout', 'stderr'], ['-P', 'threads']],
  ] as const) {
    it(`TERM waits for what runs when nobody reads ${what} any more`, async () => {
      await client.publish(queue, [taskMessage('steps.talk', { kwargs: { n: 1, ms: 3000 } })])
      const worker = await startWorkerProgram({
        brokerUrl: brokerUrl(),
        args: ['-Q', queue, '-c', '2', ...args],
        env: { STEPS_TRACE: trace },
      })
      await waitFor(() => readSteps(trace).length === 1, { what: 'the task to begin' })
      worker.stopReading(...streams)
      worker.kill('SIGTERM')
      expect(await worker.exited).toEqual({ code: 0, signal: null })
      expect(ended(readSteps(trace))).toEqual(new Set([1]))
      await backInQueue(0)
    })
  }

  it('QUIT leaves them to the broker, and the exit code is 0', async () => {
    const worker = await busyWorker(60_000)
    worker.kill('SIGQUIT')
    expect(await worker.exited).toEqual({ code: 0, signal: null })
    expect(worker.stdout).toContain('worker: Cold shutdown (MainProcess)')
    await backInQueue(2)
  })

  it('INT is warm and a second INT is cold, and the exit code is 1', async () => {
    const worker = await busyWorker(60_000)
    worker.kill('SIGINT')
    await worker.waitForOutput(/Hitting Ctrl\+C again will initiate cold shutdown/)
    worker.kill('SIGINT')
    expect(await worker.exited).toEqual({ code: 1, signal: null })
    await backInQueue(2)
  })

  it('QUIT with a soft shutdown lets them end in that time', async () => {
    const worker = await busyWorker(1000, ['--', 'worker.soft_shutdown_timeout=20'])
    worker.kill('SIGQUIT')
    await worker.waitForOutput(/Initiating Soft Shutdown, terminating in 20 seconds/)
    expect(await worker.exited).toEqual({ code: 0, signal: null })
    expect(ended(readSteps(trace)).size).toBe(2)
    await backInQueue(0)
  })

  it('TERM is QUIT where REMAP_SIGTERM says so', async () => {
    const worker = await busyWorker(60_000, [], { REMAP_SIGTERM: 'SIGQUIT' })
    worker.kill('SIGTERM')
    expect(await worker.exited).toEqual({ code: 0, signal: null })
    await backInQueue(2)
  })

  it('--purge empties the queues before the start', async () => {
    await client.publish(
      queue,
      [0, 1, 2].map((n) => taskMessage('steps.step', { kwargs: { n, key: 'k', ms: 0 } })),
    )
    const worker = await startWorkerProgram({
      brokerUrl: brokerUrl(),
      args: ['-Q', queue, '--purge'],
      env: { STEPS_TRACE: trace },
    })
    expect(worker.output).toContain('purge: Erased 3 messages from the queue.')
    worker.kill('SIGTERM')
    expect((await worker.exited).code).toBe(0)
    expect(readSteps(trace)).toEqual([])
  })
})
