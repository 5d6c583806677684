import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Celery } from 'celeriac'
import { Client } from '../support/client.js'
import { killAllPrograms, type Program } from '../support/program.js'
import { brokerUrl, redisUrl } from '../support/services.js'
import { startWorkerProgram } from '../support/workerProgram.js'

describe.each(['prefork', 'threads'])('tasks for the CPU under -P %s -c 2 --time-limit 2', (pool) => {
  let client: Client
  let app: Celery
  let worker: Program

  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    const queue = await client.queue()
    worker = await startWorkerProgram({
      brokerUrl: brokerUrl(),
      app: 'build/apps/cpu.js',
      args: ['-Q', queue, '-P', pool, '-c', '2', '--time-limit', '2'],
      env: { CELERY_RESULT_BACKEND: redisUrl() },
    })
    app = new Celery('spec', { broker_url: brokerUrl(), result_backend: redisUrl(), task_default_queue: queue })
  })

  afterAll(async () => {
    await app.close()
    await killAllPrograms()
    await client.close()
  })

  it('are killed at the limit, and the others are unharmed', async () => {
    const endless = await app.sendTask('cpu.spin', [3_600_000])
    const others = await Promise.all([300, 300, 300].map((ms) => app.sendTask('cpu.spin', [ms])))
    await expect(endless.get({ timeout: 120 })).rejects.toMatchObject({ name: 'TimeLimitExceeded', args: [2] })
    expect(await Promise.all(others.map((other) => other.get({ timeout: 120 })))).toEqual(['spun', 'spun', 'spun'])
    expect(worker.output).toMatch(/Hard time limit \(2s\) exceeded for cpu\.spin\[/)
  })

  it('end a warm stop with exit code 0', async () => {
    worker.kill('SIGTERM')
    expect(await worker.exited).toEqual({ code: 0, signal: null })
  })
})
