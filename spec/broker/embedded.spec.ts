import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Celery, Worker } from '../../lib/index.js'
import { Client } from '../support/client.js'
import { expectNothingLeft } from '../support/embeddedRounds.js'
import { type Link, openLink, through } from '../support/link.js'
import { MemoryLog } from '../support/memoryLog.js'
import { killAllPrograms } from '../support/program.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

describe('a worker in a program, with RabbitMQ', () => {
  let client: Client
  let queue: string

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
  })

  afterEach(async () => {
    await killAllPrograms()
    await client.close()
  })

  it.each(['cache+memory://', 'rpc://'])(
    'runs what the program sends, and gives it the results of %s',
    async (backend) => {
      const app = new Celery('spec', { broker_url: brokerUrl(), result_backend: backend, task_default_queue: queue })
      const add = app.task('add', (x: number, y: number) => x + y)
      const before = await add.delay(1, 2)
      {
        await using worker = new Worker(app, { logger: new MemoryLog() })
        await using other = new Worker(app, { logger: new MemoryLog() })
        await Promise.all([worker.start(), other.start()])
        await Promise.all([worker.ready, other.ready])
        expect(await before.get({ timeout: 60 })).toBe(3)
        const results = await Promise.all([1, 2, 3, 4].map((n) => add.delay(n, n)))
        expect(await Promise.all(results.map((result) => result.get({ timeout: 60 })))).toEqual([2, 4, 6, 8])
        expect(await client.consumers(queue)).toBe(32)
      }
      expect(await client.consumers(queue)).toBe(0)
      await app.close()
    },
  )

  describe('that loses it', () => {
    let link: Link
    let worker: Worker
    const told: string[] = []

    beforeEach(async () => {
      told.length = 0
      link = await openLink(Number(new URL(brokerUrl()).port || 5672))
      const app = new Celery('spec', { broker_url: through(brokerUrl(), link.port) })
      worker = new Worker(app, { queues: [queue], logger: new MemoryLog() })
      worker.on('ready', () => void told.push('ready'))
      worker.on('lost', ({ message }) => void told.push(`lost: ${message}`))
      worker.on('recovered', () => void told.push('recovered'))
      await worker.start()
      await worker.ready
    })

    afterEach(async () => {
      await worker.terminate()
      await link.close()
    })

    it('tells so, and when it has it back', async () => {
      link.cut()
      await waitFor(() => told.length === 3, { what: 'the worker to recover' })
      expect(told).toEqual(['ready', expect.stringMatching(/^lost: ./), 'recovered'])
      expect(worker.readiness).toEqual([])
    })

    it('ends all the same', async () => {
      link.refuse()
      link.cut()
      await waitFor(() => told.length === 2, { what: 'the loss to be told' })
      await worker.stop()
      expect(await worker.ended).toEqual({ error: null })
    })
  })

  it('leaves nothing behind, started and stopped 20 times beside two others and an HTTP server', async () => {
    // A round whose workers stay takes 270,000 bytes; so early the compiler takes 25,000.
    await expectNothingLeft(brokerUrl(), [queue, await client.queue()], 20, 80_000)
  })
})
