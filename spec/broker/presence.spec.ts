import { hostname } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { loadSettings } from '../../lib/settings/load.js'
import { VERSION } from '../../lib/version.js'
import { Worker } from '../../lib/worker/worker.js'
import { type Link, openLink } from '../support/link.js'
import { MemoryLog } from '../support/memoryLog.js'
import { OfflineApp } from '../support/offlineLine.js'
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.js'
import { randomQueue } from '../support/randomName.js'
import { waitFor } from '../support/waitFor.js'

describe('a worker, as an operator finds it in the log and at the broker', () => {
  let broker: Rabbitmq
  let link: Link
  let workers: readonly Worker[]
  const log = new MemoryLog()
  const nodes = ['one', 'two'].map((name) => `${name}@${hostname()}`)

  const make = (nodename: string, port: number, queue: string, log: MemoryLog): Worker => {
    const { settings } = loadSettings({
      config: { broker_url: `amqp://guest:guest@127.0.0.1:${port}//`, worker_concurrency: 2 },
      env: {},
      flags: { queues: queue, without_http: true },
    })
    return new Worker({ app: new OfflineApp('spec'), settings, nodename, log: () => log })
  }

  beforeAll(async () => {
    broker = await startRabbitmq()
    link = await openLink(broker.port)
    link.refuse()
    const queue = randomQueue()
    const [first = '', second = ''] = nodes
    workers = [make(first, link.port, queue, log), make(second, broker.port, queue, new MemoryLog())]
    for (const worker of workers) await worker.start()
    await waitFor(() => log.of('ERROR').length >= 3, { what: 'three attempts to connect' })
  })

  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.stop()))
    await link.close()
    await broker.dispose()
  })

  it('tells each attempt of the one connection that counts, and once that it waits', () => {
    const attempts = log.of('ERROR').map((text) => /^(\w+): Cannot connect.*\n.*\((\d+)\/no limit\)$/s.exec(text))
    expect(attempts.map((match) => match?.slice(1))).toEqual(attempts.map((_, at) => ['consumer', String(at + 1)]))
    expect(log.of('WARNING')).toEqual([
      `${nodes[0]} waits for the broker: it takes no messages until then, and starts by itself`,
    ])
    // Whoever looks closer finds the others.
    expect(log.of('DEBUG')).toContainEqual(expect.stringMatching(/^events: Cannot connect/))
  })

  it("tells once that it is connected, in Celery's words", async () => {
    link.accept()
    await waitFor(() => log.of('INFO').includes(`${nodes[0]} ready.`), { what: 'the worker to be ready' })
    expect(log.of('INFO').filter((text) => text.includes('Connected to'))).toEqual([
      `Connected to amqp://guest:**@127.0.0.1:${link.port}//`,
    ])
    expect(log.of('DEBUG')).toContainEqual(expect.stringMatching(/^events: Connected to amqp:/))
  })

  it('is known to the broker by its name, and with its own version', async () => {
    const connections = await broker.ctl('list_connections', '-q', 'client_properties')
    for (const node of nodes) {
      for (const name of ['consumer', 'events']) expect(connections).toContain(`"${node} ${name}"`)
    }
    expect(connections.match(/"product","celeriac"/g)?.length).toBeGreaterThanOrEqual(4)
    expect(connections.match(new RegExp(`"version","${VERSION.replaceAll('.', '\\.')}"`, 'g'))?.length).toBe(
      connections.match(/"product","celeriac"/g)?.length,
    )
  })

  it('has consumers whose tags no other worker has', async () => {
    const consumers = await broker.ctl('list_consumers', '-q', 'consumer_tag')
    const tags = consumers.split('\n').filter((tag) => tag.includes('@'))
    for (const node of nodes) {
      expect(tags.filter((tag) => tag.startsWith(`${node}.`)).length).toBeGreaterThanOrEqual(2)
    }
    expect(new Set(tags).size).toBe(tags.length)
  })
})
