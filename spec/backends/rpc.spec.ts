import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { RpcBackend, type RpcBackendOptions } from '../../lib/backends/rpc.js'
import type { ReplyInlet, ReplyQueue } from '../../lib/broker/replyInlet.js'
import { testBackend } from '../../lib/conformance/backend.js'
import type { OutgoingMessage } from '../../lib/protocol/amqp.js'
import { resultMeta } from '../../lib/protocol/result.js'
import { MemoryLog } from '../support/memoryLog.js'

const meta = (status = 'SUCCESS', result: unknown = 5) => resultMeta({ taskId: 'id1', status, result }, 0)

describe('RpcBackend', () => {
  let sent: OutgoingMessage[]
  let log: MemoryLog
  let opened: ReplyQueue[]
  let closed: number
  let reply: (content: Buffer) => void

  const inlet: ReplyInlet = {
    async open(queue, onReply) {
      opened.push(queue)
      reply = onReply
      return async () => {
        closed++
      }
    },
  }
  const make = (more: Partial<RpcBackendOptions> = {}): RpcBackend =>
    new RpcBackend({
      publisher: { publish: async (message) => void sent.push(message) },
      log,
      resultPersistent: false,
      resultExpires: 86_400,
      ...more,
    })
  let backend: RpcBackend

  beforeEach(() => {
    sent = []
    log = new MemoryLog()
    opened = []
    closed = 0
    backend = make()
  })
  afterEach(() => backend.stop())

  it('stops although its reply queue cannot be opened', async () => {
    let fail: (error: Error) => void = () => undefined
    const inlet: ReplyInlet = {
      open: () =>
        new Promise((_, reject) => {
          fail = reject
        }),
    }
    const waiting = make({ replies: { queue: 'mine', inlet } })
    const started = expect(waiting.start()).rejects.toThrow('away')
    const stopped = waiting.stop()
    fail(new Error('away'))
    await started
    await stopped
  })

  it('sends the five keys to reply_to through the default exchange', async () => {
    await backend.store(meta(), { replyTo: 'oid', correlationId: 'corr' })
    expect(sent).toEqual([
      {
        exchange: '',
        routingKey: 'oid',
        content: Buffer.from('{"task_id":"id1","status":"SUCCESS","result":5,"traceback":null,"children":[]}'),
        properties: {
          contentType: 'application/json',
          contentEncoding: 'utf-8',
          correlationId: 'corr',
          deliveryMode: 1,
          priority: 0,
          headers: {},
        },
      },
    ])
  })

  it('sends every state', async () => {
    for (const status of ['STARTED', 'PROGRESS', 'RETRY', 'SUCCESS', 'FAILURE']) {
      await backend.store(meta(status), { replyTo: 'oid', correlationId: null })
    }
    expect(sent.map(({ content }) => JSON.parse(content.toString()).status)).toEqual([
      'STARTED',
      'PROGRESS',
      'RETRY',
      'SUCCESS',
      'FAILURE',
    ])
  })

  it("names the task's id where the request has no correlation id", async () => {
    await backend.store(meta(), { replyTo: 'oid', correlationId: null })
    expect(sent[0]?.properties.correlationId).toBe('id1')
  })

  it('sends with delivery mode 2 when result_persistent is set', async () => {
    await make({ resultPersistent: true }).store(meta(), { replyTo: 'oid', correlationId: null })
    expect(sent[0]?.properties.deliveryMode).toBe(2)
  })

  it('sends nothing without reply_to', async () => {
    await backend.store(meta(), { replyTo: null, correlationId: 'corr' })
    expect(sent).toEqual([])
  })

  it('waits for the confirm, and gives up when it is stopped', async () => {
    let aborted: AbortSignal | undefined
    const publisher = {
      publish: (_: OutgoingMessage, signal?: AbortSignal) => {
        aborted = signal
        return new Promise<void>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
      },
    }
    const waiting = make({ publisher })
    const storing = waiting.store(meta(), { replyTo: 'oid', correlationId: null })
    const outcome = expect(storing).rejects.toMatchObject({ code: 'CELERIAC_BACKEND' })
    await waiting.stop()
    await outcome
    expect(aborted?.aborted).toBe(true)
  })

  it('has no results for a process without a reply queue', async () => {
    await expect(backend.get('id1')).rejects.toMatchObject({ retriable: false })
    await expect(backend.subscribe('id1', () => undefined)).rejects.toMatchObject({ retriable: false })
  })

  it('opens the reply queue at the start as Celery declares it, once, and closes it', async () => {
    const client = make({ replies: { queue: 'oid', inlet } })
    await client.start()
    await client.get('id1')
    await client.stop()
    expect(opened).toEqual([{ name: 'oid', durable: true, autoDelete: true, arguments: { 'x-expires': 86_400_000 } }])
    expect(closed).toBe(1)
  })

  it('declares no x-expires when results are kept for ever', async () => {
    const client = make({ replies: { queue: 'oid', inlet }, resultExpires: null })
    await client.start()
    expect(opened[0]?.arguments).toEqual({})
    await client.stop()
  })

  it('tries to open again after a failure', async () => {
    let tries = 0
    const shaky: ReplyInlet = {
      open: (queue, onReply) => (++tries === 1 ? Promise.reject(new Error('refused')) : inlet.open(queue, onReply)),
    }
    const client = make({ replies: { queue: 'oid', inlet: shaky } })
    await expect(client.start()).rejects.toThrow('refused')
    expect(await client.get('id1')).toBeNull()
    await client.stop()
  })

  it('ignores a reply that is no result, and goes on', async () => {
    const client = make({ replies: { queue: 'oid', inlet } })
    await client.start()
    reply(Buffer.from('not json'))
    reply(Buffer.from('{"task_id":"id1","status":"SUCCESS","result":5,"traceback":null,"children":[]}'))
    expect(await client.get('id1')).toMatchObject({ result: 5 })
    expect(log.of('WARNING')).toHaveLength(1)
    await client.stop()
  })

  it('keeps a final state when an older one comes late', async () => {
    const client = make({ replies: { queue: 'oid', inlet } })
    await client.start()
    reply(Buffer.from('{"task_id":"id1","status":"SUCCESS","result":5}'))
    reply(Buffer.from('{"task_id":"id1","status":"STARTED","result":null}'))
    expect(await client.get('id1')).toMatchObject({ status: 'SUCCESS' })
    await client.stop()
  })

  it('remembers only so many, the newest', async () => {
    const client = make({ replies: { queue: 'oid', inlet }, remembered: 2 })
    await client.start()
    for (const id of ['a', 'b', 'c']) reply(Buffer.from(`{"task_id":"${id}","status":"SUCCESS","result":1}`))
    expect(await client.get('a')).toBeNull()
    expect(await client.get('b')).not.toBeNull()
    expect(await client.get('c')).not.toBeNull()
    await client.stop()
  })
})

testBackend(it, {
  name: 'rpc:// without a reply queue',
  create: () =>
    new RpcBackend({
      publisher: { publish: async () => undefined },
      log: new MemoryLog(),
      resultPersistent: false,
      resultExpires: null,
    }),
  reads: false,
})
