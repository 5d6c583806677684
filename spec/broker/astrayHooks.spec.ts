import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Celery } from '../../lib/celery.js'
import { Client } from '../support/client.js'
import { killAllPrograms, type Program } from '../support/program.js'
import { brokerUrl, redisUrl } from '../support/services.js'
import { startWorkerProgram } from '../support/workerProgram.js'

describe.each(['async', 'prefork', 'threads'])('a hook of -P %s', (pool) => {
  let client: Client
  let app: Celery
  let worker: Program
  let queue: string

  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    app = new Celery('client', { broker_url: brokerUrl(), result_backend: redisUrl() })
    worker = await startWorkerProgram({
      brokerUrl: brokerUrl(),
      app: 'build/apps/astray.js',
      args: ['-Q', queue, '-P', pool, '-c', '1', '--', 'worker.hook_timeout=2'],
      env: { CELERY_RESULT_BACKEND: redisUrl() },
    })
  })

  afterAll(async () => {
    await killAllPrograms()
    await app.close()
    await client.close()
  })

  const echo = async (how: string): Promise<unknown> => {
    const result = await app.sendTask('astray.echo', [how], {}, { queue })
    return result.get()
  }
  const lines = (hook: string, what: string): number =>
    worker.output.split('\n').filter((line) => line.includes(`Hook anonymous of ${hook}`) && line.includes(what)).length

  it('of the start of a process that throws or hangs keeps no task from running', async () => {
    expect(await echo('is well')).toBe('is well')
    expect(lines('workerProcessInit', 'a hook of mine')).toBe(1)
    expect(lines('workerProcessInit', 'continuing without it')).toBe(1)
  })

  it.each([
    ['throws', 'a hook of mine', 1],
    ['is slow', 'continuing without it', 0],
    ['hangs', 'continuing without it', 1],
  ])(
    'of a task that %s never costs the task, whose time limit is that of its handler alone',
    async (how, told, times) => {
      expect(await echo(how)).toBe(how)
      expect(await echo('is well')).toBe('is well')
      for (const hook of ['taskPrerun', 'taskSuccess', 'taskPostrun']) {
        expect({ hook, lines: lines(hook, told) }).toEqual({ hook, lines: times })
      }
    },
  )
})
