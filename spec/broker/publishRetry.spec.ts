import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { BrokerError, Celery, type SendOptions, Worker } from '../../lib/index.js'
import { deferred } from '../../lib/listeners.js'
import type { Conf } from '../../lib/settings/conf.js'
import { Client } from '../support/client.js'
import { type Link, openLink, through } from '../support/link.js'
import { MemoryLog } from '../support/memoryLog.js'
import { randomQueue } from '../support/randomName.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

const AT_ONCE = { intervalStart: 0, intervalStep: 0, intervalMax: 0 }

describe('a message that a program sends', () => {
  let client: Client
  let queue: string
  let link: Link
  const apps: Celery[] = []

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    link = await openLink(Number(new URL(brokerUrl()).port))
  })

  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close()
    await link.close()
    await client.close()
  })

  function appWith(conf: Conf = {}): Celery {
    const app = new Celery('spec', {
      broker_url: through(brokerUrl(), link.port),
      task_default_queue: queue,
      ...conf,
    })
    apps.push(app)
    return app
  }

  it('fails after a few tries while the broker is away, and the next one that is sent once it is back does not', async () => {
    const app = appWith()
    link.refuse()
    const failing = app.sendTask('t')
    await expect(failing).rejects.toThrow(/^the broker can't be reached: .* \(after 3 retries\)$/)
    await expect(failing).rejects.toMatchObject({ name: 'BrokerError', retriable: true, facts: { retries: 3 } })
    // Longer than the connection tries by itself.
    for (let n = 0; n < 2; n++) await expect(app.sendTask('t')).rejects.toThrow(BrokerError)
    link.accept()
    await app.sendTask('t')
    expect(await client.depth(queue)).toBe(1)
    link.refuse()
    link.cut()
    await waitFor(
      () =>
        app
          .sendTask('t')
          .then(() => false)
          .catch(() => true),
      { what: 'the loss' },
    )
    link.accept()
    await app.sendTask('t')
    expect(await client.depth(queue)).toBeGreaterThanOrEqual(2)
  })

  it.each<[string, Conf, SendOptions]>([
    ['by its call', { task_publish_retry: false }, { retryPolicy: { maxRetries: null, intervalMax: 0.1 } }],
    ['by the setting', { task_publish_retry_policy: { max_retries: null, interval_max: 0.1 } }, {}],
    [
      'by its call over the setting',
      { task_publish_retry_policy: { max_retries: 0 } },
      { retryPolicy: { maxRetries: 1e6 } },
    ],
  ])('is tried for as long as the broker is away, where it has no end %s', async (_, conf, options) => {
    const app = appWith({ ...conf, result_backend: null })
    link.refuse()
    let settled = false
    const sending = app.sendTask('t', [], {}, options).finally(() => {
      settled = true
    })
    // Others come and go meanwhile.
    for (let n = 0; n < 3; n++)
      await expect(app.sendTask('t', [], {}, { retryPolicy: { maxRetries: 3 } })).rejects.toThrow()
    expect(settled).toBe(false)
    link.accept()
    await sending
    expect(await client.depth(queue)).toBe(1)
  })

  it('is sent again when the connection is lost with it, but not without retries', async () => {
    const app = appWith()
    await app.sendTask('t')
    link.stall()
    const [again, once] = [app.sendTask('t'), app.sendTask('t', [], {}, { retry: false })]
    const failing = expect(once).rejects.toThrow(/^the connection to the broker was lost: /)
    link.cut()
    link.resume()
    await failing
    await again
    expect(await client.depth(queue)).toBe(2)
  })

  it('is not tried again when that would end in the same way', async () => {
    const app = appWith()
    const endless: SendOptions = { retryPolicy: { ...AT_ONCE, maxRetries: null } }
    const circle: unknown[] = []
    circle.push(circle)
    await expect(app.sendTask('t', [circle], {}, endless)).rejects.toThrow(TypeError)
    await expect(app.sendTask('t', [], {}, { ...endless, exchange: randomQueue() })).rejects.toMatchObject({
      retriable: false,
    })
    await expect(app.sendTask('t', [], {}, { ...endless, headers: { big: 'x'.repeat(70_000) } })).rejects.toMatchObject(
      {
        retriable: false,
      },
    )
    await app.sendTask('t')
    expect(await client.depth(queue)).toBe(1)
  })

  it('is tried no more than that for a queue that is full', async () => {
    const full = await client.queue({ 'x-max-length': 1, 'x-overflow': 'reject-publish' })
    const app = appWith()
    await app.sendTask('t', [], {}, { queue: full })
    const retryPolicy = { ...AT_ONCE, maxRetries: 1 }
    await expect(app.sendTask('t', [], {}, { queue: full, retryPolicy })).rejects.toThrow(
      'the broker refused the message (after one retry)',
    )
    await expect(app.sendTask('t', [], {}, { queue: full, retry: false })).rejects.toThrow(
      'the broker refused the message',
    )
    await app.sendTask('t')
  })

  it('does not keep a program that has closed its app waiting', async () => {
    const app = appWith()
    link.refuse()
    const failing = expect(
      app.sendTask('t', [], {}, { retryPolicy: { maxRetries: null, intervalStart: 3600, intervalMax: 3600 } }),
    ).rejects.toThrow('the publisher was closed')
    await expect(app.sendTask('t', [], {}, { retry: false })).rejects.toThrow()
    await app.close()
    await failing
  })

  describe('from inside a task', () => {
    it('waits for the broker as its worker does, unless the call says otherwise', async () => {
      const app = new Celery('spec', {
        task_default_queue: queue,
        broker_write_url: through(brokerUrl(), link.port),
        broker_read_url: brokerUrl(),
        task_publish_retry: false,
      })
      const told: string[] = []
      const isSent = deferred<void>()
      app.task('sends', async () => {
        await isSent.promise
        link.refuse()
        link.cut()
        await expect(app.sendTask('t', [], {}, { retry: false, queue: 'elsewhere' })).rejects.toThrow(BrokerError)
        const waiting = app.sendTask('noted')
        await expect(app.sendTask('t', [], {}, { retryPolicy: { ...AT_ONCE, maxRetries: 2 } })).rejects.toThrow(
          '(after 2 retries)',
        )
        link.accept()
        await waiting
        told.push('sent')
      })
      app.task('noted', () => void told.push('noted'))
      await using worker = new Worker(app, { logger: new MemoryLog() })
      await worker.start()
      await worker.ready
      await app.sendTask('sends')
      isSent.resolve()
      await waitFor(() => told.length === 2, { what: 'both tasks' })
      await app.close()
    })
  })
})

describe('tries of a message', () => {
  let server: Server
  let attempts = 0
  let app: Celery

  beforeEach(async () => {
    attempts = 0
    server = createServer((socket) => {
      attempts++
      socket.destroy()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    app = new Celery('spec', { broker_url: `amqp://127.0.0.1:${(server.address() as AddressInfo).port}//` })
  })

  afterEach(async () => {
    await app.close()
    server.close()
  })

  it.each<[SendOptions, number, string]>([
    [{ retry: false }, 1, "^the broker can't be reached: [^(]*$"],
    [{ retry: false, retryPolicy: { maxRetries: 5 } }, 1, "^the broker can't be reached: [^(]*$"],
    [{ retryPolicy: { ...AT_ONCE, maxRetries: 1 } }, 2, '\\(after one retry\\)$'],
    [{ retryPolicy: { ...AT_ONCE, maxRetries: 6 } }, 7, '\\(after 6 retries\\)$'],
    [{}, 4, '\\(after 3 retries\\)$'],
  ])('are as many as it says: %j', async (options, count, text) => {
    await expect(app.sendTask('t', [], {}, options)).rejects.toThrow(new RegExp(text))
    expect(attempts).toBe(count)
  })

  it('are shared by all that wait at the same time', async () => {
    const options = { retryPolicy: { ...AT_ONCE, maxRetries: 2 } }
    const all = Array.from({ length: 200 }, () => app.sendTask('t', [], {}, options))
    for (const { status } of await Promise.allSettled(all)) expect(status).toBe('rejected')
    // A few may come when the others have failed already.
    expect(attempts).toBeLessThan(all.length / 10)
  })
})
