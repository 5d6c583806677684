import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Redis as RedisClient } from 'ioredis'
import { Client } from '../support/client.js'
import { taskMessage } from '../support/message.js'
import { killAllPrograms, type Program } from '../support/program.js'
import { type Redis, startRedis } from '../support/redis.js'
import { brokerUrl } from '../support/services.js'
import { ended, readSteps } from '../support/steps.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

describe('results, when things are lost', () => {
  let client: Client
  let queue: string
  let redis: Redis
  let dir: string
  let trace: string

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    redis = await startRedis({ durable: true })
    dir = await mkdtemp(join(tmpdir(), 'celeriac-spec-'))
    trace = join(dir, 'steps.jsonl')
  })

  afterEach(async () => {
    await killAllPrograms()
    await client.close()
    await redis.dispose()
    await rm(dir, { recursive: true })
  })

  const start = (): Promise<Program> =>
    startWorkerProgram({
      brokerUrl: brokerUrl(),
      args: ['-Q', queue, '-c', '32'],
      env: { STEPS_TRACE: trace, CELERY_RESULT_BACKEND: redis.url },
    })

  const step = (n: number, ms: number) =>
    taskMessage('steps.step', { id: `${queue}.${n}`, kwargs: { n, key: `k${n}`, ms } })

  /** How many of the first `count` tasks have SUCCESS stored. */
  async function stored(count: number): Promise<number> {
    const connection = new RedisClient(redis.url, { lazyConnect: true, maxRetriesPerRequest: 1 })
    await connection.connect()
    try {
      const keys = Array.from({ length: count }, (_, n) => `celery-task-meta-${queue}.${n}`)
      const metas = await connection.mget(keys)
      return metas.filter((meta) => meta !== null && JSON.parse(meta).status === 'SUCCESS').length
    } finally {
      connection.disconnect()
    }
  }

  it('survive ten seconds without Redis under 500 tasks a second: all there, none run twice, memory bounded', async () => {
    const perSecond = 500
    const seconds = 14
    const count = perSecond * seconds
    const worker = await start()
    const publishing = (async () => {
      // The load: what is tested is what happens at this rate.
      for (let at = 0; at < seconds * 10; at++) {
        const from = (at * perSecond) / 10
        await client.publish(
          queue,
          Array.from({ length: perSecond / 10 }, (_, n) => step(from + n, 5)),
        )
        await sleep(100)
      }
    })()
    await waitFor(() => ended(readSteps(trace)).size > perSecond, {
      what: 'the load to be under way',
    })
    await redis.kill()
    await sleep(10_000)
    await redis.start()
    await publishing
    await waitFor(async () => (await stored(count)) === count, { what: 'every result to be stored' })
    const begun = readSteps(trace).filter((each) => each.event === 'begin')
    expect(begun).toHaveLength(count)
    expect(new Set(begun.map((each) => each.n)).size).toBe(count)
    const peakKib = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${worker.pid}/status`, 'utf8'))?.[1])
    expect(peakKib).toBeLessThan(300 * 1024)
    worker.kill('SIGTERM')
    expect(await worker.exited).toEqual({ code: 0, signal: null })
    expect(await client.depth(queue)).toBe(0)
  })

  it('are all there in the end when the worker is killed under load', async () => {
    const count = 3000
    await client.publish(
      queue,
      Array.from({ length: count }, (_, n) => step(n, 5)),
    )
    const first = await start()
    await waitFor(() => ended(readSteps(trace)).size > count / 3, { what: 'a third to have run' })
    first.kill('SIGKILL')
    await first.exited
    expect(await stored(count)).toBeLessThan(count)
    await start()
    await waitFor(async () => (await stored(count)) === count, { what: 'every result to be stored' })
  })
})
