import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Celery, type Conf, type TaskContext, type TaskState, Worker } from '../../lib/index.js'
import { Client } from '../support/client.js'
import { MemoryLog } from '../support/memoryLog.js'
import { brokerUrl, redisUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

describe('the states of a task', () => {
  let app: Celery
  let client: Client
  let worker: Worker
  /** How often the task has been told to go on. */
  let told: number

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    told = 0
  })

  afterEach(async () => {
    await worker.terminate()
    await app.close()
    await client.close()
  })

  it.each([
    ['redis://', () => redisUrl()],
    ['rpc://', () => 'rpc://'],
    ['cache+memory://', () => 'cache+memory://'],
  ])('come as they are stored in %s', async (_, backend) => {
    const conf: Conf = { task_default_queue: await client.queue(), task_track_started: true }
    app = new Celery('spec', { broker_url: brokerUrl(), result_backend: backend(), ...conf })
    const steps = app.task('steps', { bind: true }, async (self: TaskContext) => {
      for (const done of [1, 2]) {
        await waitFor(() => told >= done, { what: 'the word to go on' })
        await self.updateState({ state: 'PROGRESS', meta: { done } })
      }
      await waitFor(() => told >= 3, { what: 'the word to go on' })
      return 'done'
    })
    const result = await steps.delay()
    worker = new Worker(app, { logger: new MemoryLog() })
    const seen: TaskState[] = []
    for await (const state of result.states({ timeout: 120 })) {
      seen.push(state)
      if (state.state === 'PENDING') await worker.start()
      else told++
    }
    expect(seen.map(({ state, meta, result }) => [state, meta, result])).toEqual([
      ['PENDING', null, null],
      ['STARTED', { pid: process.pid, hostname: worker.hostname }, null],
      ['PROGRESS', { done: 1 }, null],
      ['PROGRESS', { done: 2 }, null],
      ['SUCCESS', null, 'done'],
    ])
  })
})
