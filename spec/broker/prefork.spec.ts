import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Celery } from 'celeriac'
import { Client } from '../support/client.js'
import { killAllPrograms, type Program, runProgram } from '../support/program.js'
import { brokerUrl, redisUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'
import { ROOT, startWorkerProgram } from '../support/workerProgram.js'

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
      env: { CELERY_RESULT_BACKEND: redisUrl(), CELERY_TASK_TRACK_STARTED: 'true' },
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

  it('are shown with the process that they run in, as STARTED and in inspect active', async () => {
    const file = join(tmpdir(), `celeriac-${randomUUID()}`)
    const task = await app.sendTask('cpu.spinUntil', [file], {}, { timeLimit: 600 })
    try {
      await waitFor(async () => (await task.state()) === 'STARTED', { what: 'the task to start' })
      const { hostname, pid } = (await task.info()) as { hostname: string; pid: number }
      const inspect = ['bin/celeriac.js', '-b', brokerUrl(), 'inspect', 'active', '-j', '-d', hostname, '-t', '30']
      const program = runProgram(process.execPath, inspect, { cwd: ROOT })
      await program.exited
      expect(JSON.parse(program.stdout)[hostname]).toMatchObject([{ id: task.id, worker_pid: pid }])
      expect(pid === worker.pid).toBe(pool === 'threads')
      expect(process.kill(pid, 0)).toBe(true)
      await writeFile(file, '')
      expect(await task.get({ timeout: 120 })).toBe('spun')
    } finally {
      await rm(file, { force: true })
    }
  })

  it('end a warm stop with exit code 0', async () => {
    worker.kill('SIGTERM')
    expect(await worker.exited).toEqual({ code: 0, signal: null })
  })
})
