import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Celery } from '../../lib/celery.js'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import type { MemoryLog } from '../support/memoryLog.js'
import { OfflineApp } from '../support/offlineLine.js'
import { ownBroker } from '../support/ownBroker.js'
import { PYTHON } from '../support/peers.js'
import { ping } from '../support/pinger.js'
import { runProgram } from '../support/program.js'
import { RawClient } from '../support/rawClient.js'
import {
  jsonProperties,
  list,
  nested,
  type RawValue,
  raw,
  table,
  taskHeaders,
  text,
  uint64,
} from '../support/rawTable.js'
import { waitFor } from '../support/waitFor.js'

/** Its own: what is broadcast here is dropped, with a word in the log, by all workers that hear it. */
const brokerUrl = ownBroker()
const SEND = `
import sys, time, celery
app = celery.Celery(broker=sys.argv[1])
for n in range(3):
    app.send_task('spec.headers', queue=sys.argv[2], headers={'sent_ms': int(time.time() * 1000), 'below': -2**40, 'nanos': 2**60 + 1})
`

const BODY = Buffer.from('[[], {}, null]')

describe('a worker', () => {
  let client: Client
  let raws: RawClient
  let queue: string
  let worker: Worker
  let log: MemoryLog
  let seen: Array<Readonly<Record<string, unknown>>>

  beforeEach(async () => {
    seen = []
    client = await Client.open(brokerUrl())
    raws = await RawClient.open(brokerUrl())
    queue = await client.queue()
    const app = new OfflineApp('spec') as unknown as Celery
    app.task('spec.headers', { bind: true }, async (self) => {
      seen.push(self.request.headers)
    })
    ;({ worker, log } = await startWorker(app, brokerUrl(), queue))
  })

  afterEach(async () => {
    await worker.stop()
    await raws.close()
    await client.close()
  })

  const send = (fields: Readonly<Record<string, RawValue>>): void => {
    const headers = { ...taskHeaders('spec.headers', randomUUID()), ...fields }
    raws.publish({ routingKey: queue, properties: jsonProperties(headers), body: BODY })
  }

  const lost = (): string[] => log.of('WARNING').filter((line) => /connection/i.test(line))

  it("runs what Python's clients send with integers of more than 31 bits in the headers", async () => {
    const python = runProgram(PYTHON, ['-c', SEND, brokerUrl(), queue])
    expect((await python.exited).code).toBe(0)
    await waitFor(() => seen.length === 3, { what: 'the tasks to run' })
    expect(seen[0]).toMatchObject({ below: -(2 ** 40), nanos: 2n ** 60n + 1n })
    expect(Number(seen[0]?.sent_ms)).toBeGreaterThan(1.7e12)
    expect(lost()).toEqual([])
  })

  it('rejects headers that are nested thousands deep, and goes on', async () => {
    send({ deep: nested('A', 4500) })
    send({ deep: nested('F', 9000) })
    send({ deep: list(table({ '!': text('x') })) })
    await waitFor(() => seen.length === 1, { what: 'the task to run' })
    expect(worker.line.state.refused).toEqual(new Map([['too-deep', 2]]))
    expect(worker.line.state.received).toBe(3)
    expect(lost()).toEqual([])
    await worker.stop()
    expect(await client.depth(queue)).toBe(0)
  })

  it('drops control messages and events that it cannot read, and goes on', async () => {
    const [nodename = ''] = log.of('INFO').flatMap((line) => /^(\S+) ready\.$/.exec(line)?.[1] ?? [])
    const kinds: ReadonlyArray<Readonly<Record<string, RawValue>>> = [
      { deep: nested('A', 9000) },
      { clock: raw('L', uint64(2n ** 40n)) },
      { deep: nested('F', 9000) },
    ]
    for (const headers of kinds) {
      const properties = jsonProperties(headers)
      const body = Buffer.from('{"method": "ping", "destination": ["nobody@spec"]}')
      raws.publish({ exchange: 'celery.pidbox', routingKey: '', properties, body })
      raws.publish({ exchange: 'celeryev', routingKey: 'worker.heartbeat', properties, body: Buffer.from('[]') })
    }
    expect(await raws.settled()).toBe(6)
    await ping(brokerUrl(), nodename, 1)
    send({})
    await waitFor(() => seen.length === 1, { what: 'the task to run' })
    expect(log.of('ERROR').filter((line) => line.startsWith('pidbox: a control message was dropped'))).toHaveLength(2)
    const events = (): string[] => log.of('DEBUG').filter((line) => line.startsWith('gossip: an event was dropped'))
    await waitFor(() => events().length === 2, { what: 'the last event to be dropped' })
    expect(lost()).toEqual([])
  })

  it('takes no header for the prototype of the headers', async () => {
    send({ ['__proto__']: table({ stamped_headers: list(text('constructor')), order_key: text('k') }) })
    await waitFor(() => seen.length === 1, { what: 'the task to run' })
    expect(Object.getPrototypeOf(seen[0])).toBe(Object.prototype)
    expect(seen[0]?.order_key).toBeUndefined()
    const many = table(Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [`k${n}`, text('x')])))
    send({ ['__proto__']: many })
    await waitFor(() => worker.line.state.refused.size === 1, { what: 'the message to be refused' })
    expect(worker.line.state.refused).toEqual(new Map([['too-many-headers', 1]]))
  })
})
