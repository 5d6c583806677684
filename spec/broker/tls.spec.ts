import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { Connection } from '../../lib/amqp/connection.js'
import { createBackend } from '../../lib/backends/index.js'
import { Celery } from '../../lib/celery.js'
import type { Backend } from '../../lib/ports.js'
import { resultMeta } from '../../lib/protocol/result.js'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { connectionTo } from '../support/epoch.js'
import { startWorker } from '../support/inProcessWorker.js'
import { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { PYTHON } from '../support/peers.js'
import { killAllPrograms, runProgram } from '../support/program.js'
import { startTlsServices, type TlsServices } from '../support/tlsServices.js'
import { waitFor } from '../support/waitFor.js'

const SEND = `
import json, sys, celery
app = celery.Celery(broker=sys.argv[1], broker_use_ssl=json.loads(sys.argv[2]))
app.send_task('tell', (42,), queue=sys.argv[3])
`

let services: TlsServices
beforeAll(async () => {
  services = await startTlsServices()
})
afterAll(() => services?.dispose())

interface Case {
  readonly name: string
  readonly words: () => Record<string, unknown>
  readonly says: string
}

const good = (): Record<string, unknown> => ({
  ca_certs: services.authority.ca,
  certfile: services.client.cert,
  keyfile: services.client.key,
  cert_reqs: 'CERT_REQUIRED',
})

/** What both say of their server. */
const REFUSED: readonly Case[] = [
  {
    name: 'an authority that the server is not certified by',
    words: () => ({ ...good(), ca_certs: services.stranger.ca }),
    says: "the server's certificate is not signed by an authority that ca_certs names (self-signed certificate in certificate chain)",
  },
  {
    name: 'no authority of ours: the public ones do not know the server',
    words: () => ({ ...good(), ca_certs: null }),
    says: "the server's certificate is not signed by an authority that ca_certs names (self-signed certificate in certificate chain)",
  },
  {
    name: 'no client certificate',
    words: () => ({ ca_certs: services.authority.ca }),
    // Whether the server's reason arrives or only its end of the connection is a matter of moments.
    says: 'a client certificate: certfile and keyfile',
  },
  {
    name: 'another name than the one expected',
    words: () => ({ ...good(), server_hostname: 'broker.example' }),
    says: "the server's certificate is for another name: Host: broker.example. is not in the cert's altnames: DNS:localhost, IP Address:127.0.0.1 (server_hostname gives the name to expect)",
  },
  {
    name: 'a file that is not there',
    words: () => ({ ...good(), ca_certs: '/nowhere/ca.crt' }),
    says: "ENOENT: no such file or directory, open '/nowhere/ca.crt'",
  },
]

function openBackend(words: Record<string, unknown>, url: string, log = new MemoryLog()): Backend {
  const prefixed = Object.fromEntries(Object.entries(words).map(([name, value]) => [`ssl_${name}`, value]))
  const publisher = { publish: async (): Promise<void> => undefined }
  return createBackend({ result_backend: url, result_expires: 60, redis_backend_use_ssl: prefixed }, { publisher, log })
}

describe('RabbitMQ by TLS with client certificates', () => {
  let connection: Connection | undefined
  let worker: Worker | undefined

  afterEach(async () => {
    await killAllPrograms()
    await connection?.stop()
    await worker?.stop()
    connection = undefined
    worker = undefined
  })

  const query = (words: Record<string, unknown>): string =>
    Object.entries(words)
      .map(([name, value]) => `ssl_${name}=${encodeURIComponent(String(value))}`)
      .join('&')

  it.each([
    [
      'broker_use_ssl',
      () => [`amqp://guest:guest@127.0.0.1:${services.brokerPort}//`, { broker_use_ssl: good() }] as const,
    ],
    ['the URL', () => [`amqps://guest:guest@localhost:${services.brokerPort}//?${query(good())}`, {}] as const],
  ])('a worker told by %s runs a task and stores its result, in Redis by TLS', async (_name, told) => {
    const [url, config] = told()
    const app = new Celery('spec')
    app.task('add', (x: number, y: number) => x + y)
    const plain = await Client.open(services.broker.url)
    try {
      const queue = await plain.queue()
      const result_backend = `rediss://127.0.0.1:${services.redisPort}/0?${query(good())}`
      worker = (await startWorker(app, url, queue, { ...config, result_backend })).worker
      const id = randomUUID()
      await plain.publish(queue, [taskMessage('add', { id, args: [20, 22] })])
      const results = openBackend({}, services.redis.url)
      await results.start()
      await waitFor(() => results.get(id), { what: 'the result' })
      expect(await results.get(id)).toMatchObject({ status: 'SUCCESS', result: 42 })
      await results.stop()
      expect(await services.broker.ctl('list_connections', '-q', 'ssl', 'peer_cert_subject')).toContain(
        'true\tCN=worker',
      )
    } finally {
      await plain.close()
    }
  })

  it("Python's own client is told by the same words, the number of ssl.CERT_REQUIRED among them", async () => {
    const words = { ...good(), cert_reqs: 2, server_hostname: 'localhost' }
    const app = new Celery('spec')
    const ran = new Promise<number>((resolve) => {
      app.task('tell', (n: number) => resolve(n))
    })
    const plain = await Client.open(services.broker.url)
    try {
      const queue = await plain.queue()
      const url = `amqp://guest:guest@127.0.0.1:${services.brokerPort}//`
      worker = (await startWorker(app, url, queue, { broker_use_ssl: words })).worker
      const python = runProgram(PYTHON, ['-c', SEND, url, JSON.stringify(words), queue])
      expect([(await python.exited).code, python.output]).toEqual([0, ''])
      expect(await ran).toBe(42)
    } finally {
      await plain.close()
    }
  })

  const firstFault = async (url: string, words: Record<string, unknown>): Promise<string> => {
    const log = new MemoryLog()
    const under = await connectionTo(url, log, { broker_use_ssl: words })
    connection = under.connection
    await waitFor(() => log.of('ERROR').length > 0, { what: 'the first failed attempt' })
    return log.of('ERROR')[0] ?? ''
  }

  it.each(REFUSED)('$name: says so, and goes on trying', async ({ words, says }) => {
    const url = `amqp://guest:guest@127.0.0.1:${services.brokerPort}//`
    const [first, then] = (await firstFault(url, words())).split('\n')
    expect(first).toContain(`consumer: Cannot connect to amqp://guest:**@127.0.0.1:${services.brokerPort}//: `)
    expect(first).toContain(says)
    expect(then).toMatch(/^Trying again in /)
  })

  it('a client certificate of another authority is refused by the server, and that is said', async () => {
    const words = { ...good(), certfile: services.fake.cert, keyfile: services.fake.key }
    expect(await firstFault(`amqp://guest:guest@127.0.0.1:${services.brokerPort}//`, words)).toContain(
      'the server refuses our certificate (',
    )
  })

  it('a port that does not speak TLS', async () => {
    expect(await firstFault(services.broker.url, good())).toContain('the server does not speak TLS on this port')
  })

  it('with cert_reqs none, any certificate of the server will do', async () => {
    const log = new MemoryLog()
    const words = { ...good(), ca_certs: services.stranger.ca, cert_reqs: 'CERT_NONE' }
    const under = await connectionTo(`amqp://guest:guest@127.0.0.1:${services.brokerPort}//`, log, {
      broker_use_ssl: words,
    })
    connection = under.connection
    await waitFor(() => under.epochs.length === 1, { what: 'the connection' })
  })
})

describe('Redis by TLS with client certificates', () => {
  let backend: Backend | undefined
  afterEach(async () => {
    await backend?.stop()
    backend = undefined
  })

  const open = (words: Record<string, unknown>, url: string, log = new MemoryLog()): Backend => {
    backend = openBackend(words, url, log)
    return backend
  }

  it('stores a result and reads it back', async () => {
    const { ca_certs, certfile, keyfile } = good()
    const query = `ssl_cert_reqs=required&ssl_ca_certs=${ca_certs}&ssl_certfile=${certfile}&ssl_keyfile=${keyfile}`
    for (const [url, words] of [
      [`rediss://127.0.0.1:${services.redisPort}/0?${query}`, {}],
      [`redis://localhost:${services.redisPort}/0`, good()],
    ] as const) {
      const each = open(words, url)
      await each.start()
      const meta = resultMeta({ taskId: randomUUID(), status: 'SUCCESS', result: 42 }, Date.now())
      await each.store(meta, { replyTo: null, correlationId: null })
      expect(await each.get(meta.taskId)).toMatchObject({ status: 'SUCCESS', result: 42 })
      await each.stop()
    }
  })

  it.each(REFUSED.filter(({ says }) => !says.startsWith('ENOENT')))('$name: says so', async ({ words, says }) => {
    const log = new MemoryLog()
    const refused = open({ cert_reqs: 'required', ...words() }, `rediss://127.0.0.1:${services.redisPort}/0`, log)
    await refused.start()
    await waitFor(() => log.of('WARNING').length > 0, { what: 'the loss of the connection' })
    expect(log.of('WARNING')[0]).toContain('Connection to Redis lost: ')
    expect(log.of('WARNING')[0]).toContain(says)
    expect(refused.healthy()).toBe(false)
  })

  it('a file that is not there is a fault of the configuration', () => {
    expect(() =>
      open({ ...good(), ca_certs: '/nowhere/ca.crt' }, `rediss://127.0.0.1:${services.redisPort}/0`),
    ).toThrow("result_backend: ENOENT: no such file or directory, open '/nowhere/ca.crt'")
  })
})
