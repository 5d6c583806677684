import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { Redis as Client } from 'ioredis'
import { createBackend } from '../../lib/backends/index.js'
import { testBackend } from '../../lib/conformance/backend.js'
import type { Backend } from '../../lib/ports.js'
import { encodeResult, resultMeta } from '../../lib/protocol/result.js'
import { type Link, openLink, through } from '../support/link.js'
import { MemoryLog } from '../support/memoryLog.js'
import { type Redis, startRedis } from '../support/redis.js'
import { redisUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

const NOBODY = { replyTo: null, correlationId: null }
const publisher = { publish: async () => undefined }
const log = new MemoryLog()

function backendAt(url: string, more: Record<string, unknown> = {}): Backend {
  return createBackend({ result_backend: url, result_expires: 86_400, ...more }, { publisher, log })
}

const success = (taskId: string, result: unknown = 1) => resultMeta({ taskId, status: 'SUCCESS', result }, Date.now())

let link: Link
beforeAll(async () => {
  link = await openLink(Number(new URL(redisUrl()).port))
})
afterAll(() => link.close())

testBackend(it, {
  name: 'redis://',
  create: () => backendAt(through(redisUrl(), link.port)),
  createExpiring: (seconds) => backendAt(redisUrl(), { result_expires: seconds }),
  outage: {
    begin: () => {
      link.refuse()
      link.cut()
    },
    end: () => link.accept(),
  },
  reads: true,
  chords: true,
})
testBackend(it, {
  name: 'redis:// with a key prefix, for ever',
  create: () =>
    backendAt(redisUrl(), { result_expires: null, result_backend_transport_options: { global_keyprefix: 'spec' } }),
  reads: true,
  chords: true,
})

describe('RedisBackend', () => {
  let client: Client
  let backend: Backend | null = null
  const id = () => randomUUID()

  beforeAll(async () => {
    client = new Client(redisUrl())
  })
  afterAll(() => client.quit())
  afterEach(async () => {
    await backend?.stop()
    backend = null
  })

  const start = async (more: Record<string, unknown> = {}): Promise<Backend> => {
    backend = backendAt(redisUrl(), more)
    await backend.start()
    return backend
  }

  it("keeps the text under Celery's key for result_expires seconds", async () => {
    const meta = success(id())
    await (await start({ result_expires: 100 })).store(meta, NOBODY)
    const key = `celery-task-meta-${meta.taskId}`
    expect(await client.get(key)).toBe(encodeResult(meta))
    expect(await client.ttl(key)).toBeGreaterThan(90)
    expect(await client.ttl(key)).toBeLessThanOrEqual(100)
  })

  it.each([
    ['SUCCESS', 'SUCCESS'],
    ['FAILURE', 'FAILURE'],
    ['REVOKED', 'REVOKED'],
    ['STARTED', 'new'],
    ['RETRY', 'new'],
    ['of its own', 'new'],
  ])('stores unless the task has a final state: after %s it is %s', async (status, expected) => {
    const taskId = id()
    const redis = await start()
    const error = { exc_type: 'E', exc_message: ['old'], exc_module: 'm' }
    await redis.store(resultMeta({ taskId, status, result: status === 'SUCCESS' ? 1 : error }, Date.now()), NOBODY)
    const before = await client.get(`celery-task-meta-${taskId}`)
    const revoked = resultMeta({ taskId, status: 'REVOKED', result: { ...error, exc_message: ['new'] } }, Date.now())
    await redis.storeUnlessReady?.(revoked)
    const after = await client.get(`celery-task-meta-${taskId}`)
    expect(after).toBe(expected === 'new' ? encodeResult(revoked) : before)
  })

  it.each([
    ['scripts', ['-eval', '-evalsha', '-@scripting']],
    ['what the script does', ['-getrange']],
  ])('stores by plain commands where the user may not use %s, and says so once', async (_what, rights) => {
    const name = `spec-${id()}`
    await client.call('ACL', 'SETUSER', name, 'on', '>secret', '~*', '&*', '+@all', ...rights)
    const told = new MemoryLog()
    const url = new URL(redisUrl())
    url.username = name
    url.password = 'secret'
    const redis = createBackend({ result_backend: url.href, result_expires: 100 }, { publisher, log: told })
    backend = redis
    await redis.start()
    try {
      const seen: string[] = []
      const taskId = id()
      const key = `celery-task-meta-${taskId}`
      const listener = client.duplicate()
      listener.on('message', (_channel, text) => seen.push(text))
      await listener.subscribe(key)
      const failure = resultMeta(
        { taskId, status: 'FAILURE', result: { exc_type: 'E', exc_message: ['x'], exc_module: 'm' } },
        Date.now(),
      )
      const revoked = { ...failure, status: 'REVOKED' }
      const done = success(taskId)
      await redis.store(failure, NOBODY)
      await redis.storeUnlessReady?.(revoked)
      expect(await client.get(key)).toBe(encodeResult(failure))
      await redis.store(done, NOBODY)
      await redis.store(failure, NOBODY)
      expect(await client.get(key)).toBe(encodeResult(done))
      expect(await client.ttl(key)).toBeGreaterThan(90)
      await waitFor(() => seen.length === 2, { what: 'both to be published' })
      expect(seen).toEqual([encodeResult(failure), encodeResult(done)])
      expect(told.of('WARNING')).toEqual([
        expect.stringMatching(/^Redis does not let this user run scripts; results are/),
      ])
      listener.disconnect()
    } finally {
      await client.call('ACL', 'DELUSER', name)
    }
  })

  for (const expires of [0, null]) {
    it(`keeps it for ever with result_expires ${expires}`, async () => {
      const meta = success(id())
      await (await start({ result_expires: expires })).store(meta, NOBODY)
      expect(await client.ttl(`celery-task-meta-${meta.taskId}`)).toBe(-1)
    })
  }

  for (const [given, prefix] of [
    ['team', 'team_'],
    ['team:', 'team:'],
    ['team.', 'team.'],
    ['team-', 'team-'],
    ['team_', 'team_'],
  ] as const) {
    it(`writes the prefix ${given} as ${prefix}`, async () => {
      const meta = success(id())
      await (await start({ result_backend_transport_options: { global_keyprefix: given } })).store(meta, NOBODY)
      expect(await client.exists(`${prefix}celery-task-meta-${meta.taskId}`)).toBe(1)
    })
  }

  it('publishes the very text that it stores, on the channel of the key', async () => {
    const meta = success(id())
    const key = `celery-task-meta-${meta.taskId}`
    const listener = client.duplicate()
    const heard: string[] = []
    listener.on('message', (channel: string, text: string) => heard.push(`${channel} ${text}`))
    await listener.subscribe(key)
    await (await start()).store(meta, NOBODY)
    await waitFor(() => heard.length > 0, { what: 'the message' })
    expect(heard).toEqual([`${key} ${encodeResult(meta)}`])
    listener.disconnect()
  })

  it("protects a success that Python wrote, with Python's spaces or with other fields first", async () => {
    const store = await start()
    for (const text of ['{"status": "SUCCESS", "result": 1}', '{"result": 1, "status": "SUCCESS"}']) {
      const taskId = id()
      await client.set(`celery-task-meta-${taskId}`, text)
      await store.store(resultMeta({ taskId, status: 'FAILURE', result: null }, 0), NOBODY)
      expect(await client.get(`celery-task-meta-${taskId}`)).toBe(text)
    }
  })

  it('is not taken in by a failure whose text speaks of success', async () => {
    const store = await start()
    const taskId = id()
    await client.set(`celery-task-meta-${taskId}`, '{"status": "FAILURE", "result": "\\"status\\": \\"SUCCESS\\""}')
    await store.store(success(taskId, 'new'), NOBODY)
    expect((await store.get(taskId))?.result).toBe('new')
  })

  it('stores after the scripts of the server were flushed', async () => {
    const store = await start()
    await store.store(success(id()), NOBODY)
    await client.script('FLUSH')
    const ids = Array.from({ length: 50 }, id)
    await Promise.all(ids.map((taskId) => store.store(success(taskId), NOBODY)))
    expect(await client.exists(...ids.map((taskId) => `celery-task-meta-${taskId}`))).toBe(50)
  })

  it('says of a key that holds something else that trying again is no use', async () => {
    const taskId = id()
    await client.lpush(`celery-task-meta-${taskId}`, 'x')
    await expect((await start()).store(success(taskId), NOBODY)).rejects.toMatchObject({ retriable: false })
    await client.del(`celery-task-meta-${taskId}`)
  })

  it('reads what Celery 5.2 wrote', async () => {
    const taskId = id()
    await client.set(
      `celery-task-meta-${taskId}`,
      `{"status": "SUCCESS", "result": 5, "traceback": null, "children": [], "date_done": "2026-11-24T08:47:48.964377", "task_id": "${taskId}"}`,
    )
    expect(await (await start()).get(taskId)).toMatchObject({
      result: 5,
      dateDone: Date.UTC(2026, 10, 24, 8, 47, 48) + 964.377,
    })
  })
})

describe('RedisBackend, when Redis goes', () => {
  let server: Redis
  let backend: Backend

  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.dispose())
  afterEach(() => backend.stop())

  it('starts without it, refuses each command at once, and works when it comes', async () => {
    await server.stop()
    backend = backendAt(server.url)
    await backend.start()
    expect(backend.healthy()).toBe(false)
    await expect(backend.store(success('early'), NOBODY)).rejects.toMatchObject({
      retriable: true,
      message: expect.stringContaining('ECONNREFUSED'),
    })
    await expect(backend.get('early')).rejects.toMatchObject({ retriable: true })
    await server.start()
    await waitFor(() => backend.healthy(), { what: 'the connection' })
    await backend.store(success('early'), NOBODY)
    expect(await backend.get('early')).toMatchObject({ status: 'SUCCESS' })
  })

  it('fails what is under way when it is killed, and leaves none open', async () => {
    backend = backendAt(server.url)
    await backend.start()
    const stores = Array.from({ length: 200 }, (_, n) =>
      backend.store(success(`killed-${n}`, 'x'.repeat(10_000)), NOBODY),
    )
    const settled = Promise.allSettled(stores)
    await server.kill()
    const failures = (await settled).filter(({ status }) => status === 'rejected')
    for (const failure of failures) expect(failure).toMatchObject({ reason: { retriable: true } })
    await expect(backend.store(success('late'), NOBODY)).rejects.toMatchObject({ retriable: true })
    await server.start()
    await waitFor(() => backend.healthy(), { what: 'the connection' })
    await backend.store(success('late'), NOBODY)
  })

  it('tells subscribers what was stored while their connection was away', async () => {
    backend = backendAt(server.url)
    await backend.start()
    const heard: unknown[] = []
    await backend.subscribe('away', ({ result }) => heard.push(result))
    const other = new Client(server.url)
    await other.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await other.set('celery-task-meta-away', encodeResult(success('away', 'meanwhile')))
    await waitFor(() => heard.length > 0, { what: 'the result' })
    expect(heard[0]).toBe('meanwhile')
    await backend.store(success('away', 'ignored'), NOBODY)
    await other.quit()
  })

  it('tells subscribers what was stored although their connection has gone silent', async () => {
    const link = await openLink(server.port)
    backend = backendAt(`redis://127.0.0.1:${link.port}/0`, { redis_socket_timeout: 0.5 })
    await backend.start()
    const heard: unknown[] = []
    const leave = await backend.subscribe('unheard', ({ result }) => heard.push(result))
    link.silence()
    const other = new Client(server.url)
    await other.set('celery-task-meta-unheard', encodeResult(success('unheard', 'meanwhile')))
    await waitFor(() => heard.length > 0, { what: 'the result' })
    expect(heard[0]).toBe('meanwhile')
    await leave()
    await other.quit()
    await link.close()
  })

  it('fails to subscribe where the server is frozen, long before redis_socket_timeout', async () => {
    const link = await openLink(server.port)
    backend = backendAt(`redis://127.0.0.1:${link.port}/0`, { redis_socket_timeout: 3600 })
    await backend.start()
    link.stall()
    await expect(backend.subscribe('frozen', () => undefined)).rejects.toMatchObject({ retriable: true })
    await link.close()
  })

  it('gives a silent connection up after redis_socket_timeout, and makes another', async () => {
    const link = await openLink(server.port)
    backend = backendAt(`redis://127.0.0.1:${link.port}/0`, { redis_socket_timeout: 0.2 })
    await backend.start()
    link.stall()
    await expect(backend.store(success('silent'), NOBODY)).rejects.toMatchObject({ retriable: true })
    link.resume()
    await waitFor(() => backend.healthy(), { what: 'the connection' })
    await backend.store(success('silent'), NOBODY)
    await link.close()
  })

  it.each([0, null, 10_000_000])('has no such limit, or one of months, with %p', async (redis_socket_timeout) => {
    backend = backendAt(redisUrl(), { redis_socket_timeout })
    await backend.start()
    for (let n = 0; n < 20; n++) await backend.store(success('unlimited'), NOBODY)
    expect(await backend.healthy()).toBe(true)
  })

  it.each([1e20, Number.MAX_VALUE])('stores for as long as Redis can, with a result_expires of %p', async (seconds) => {
    backend = backendAt(redisUrl(), { result_expires: seconds })
    await backend.start()
    const id = `long-${seconds}`
    await backend.store(success(id), NOBODY)
    expect(await backend.get(id)).toMatchObject({ status: 'SUCCESS' })
    expect(
      await backend.chords?.addPart({ groupId: id, groupIndex: 0, id, state: 'SUCCESS', result: 1, isRepeated: false }),
    ).toBeNull()
  })

  it('uses the password and the database of its URL', async () => {
    const client = new Client(`redis://127.0.0.1:${server.port}/3`)
    await client.config('SET', 'requirepass', 'p@ss')
    backend = backendAt(`redis://:p%40ss@127.0.0.1:${server.port}/3`)
    await backend.start()
    await backend.store(success('guarded'), NOBODY)
    expect(await client.exists('celery-task-meta-guarded')).toBe(1)
    const stranger = backendAt(`redis://:wrong@127.0.0.1:${server.port}/3`)
    await stranger.start()
    await expect(stranger.store(success('strange'), NOBODY)).rejects.toThrow(/WRONGPASS|NOAUTH/)
    await stranger.stop()
    await client.config('SET', 'requirepass', '')
    await client.quit()
  })

  it('makes a new connection when a failover has made a replica of the server, and stores when it is a master again', async () => {
    const control = new Client(server.url)
    backend = backendAt(server.url)
    await backend.start()
    const master = await startRedis()
    await control.call('REPLICAOF', '127.0.0.1', String(master.port))
    const connections = async (): Promise<number> =>
      Number(/total_connections_received:(\d+)/.exec(await control.info('stats'))?.[1])
    const before = await connections()
    await expect(backend.store(success('replica'), NOBODY)).rejects.toMatchObject({
      retriable: true,
      message: expect.stringContaining('READONLY'),
    })
    await waitFor(async () => (await connections()) > before, { what: 'a new connection' })
    await control.call('REPLICAOF', 'NO', 'ONE')
    await waitFor(() => backend.healthy(), { what: 'the connection' })
    await backend.store(success('replica'), NOBODY)
    await control.quit()
    await master.dispose()
  })

  it('waits where there is no memory left', async () => {
    const control = new Client(server.url)
    backend = backendAt(server.url)
    await backend.start()
    await control.config('SET', 'maxmemory', '1')
    await expect(backend.store(success('full'), NOBODY)).rejects.toMatchObject({
      retriable: true,
      message: expect.stringContaining('OOM'),
    })
    await control.config('SET', 'maxmemory', '0')
    await backend.store(success('full'), NOBODY)
    await control.quit()
  })

  it('does not try again what its user may not do', async () => {
    const control = new Client(server.url)
    await control.call('ACL', 'SETUSER', 'reader', 'on', '>reader', '~*', '&*', '+@read', '+@connection', '+info')
    backend = backendAt(server.url.replace('redis://', 'redis://reader:reader@'))
    await backend.start()
    await expect(backend.store(success('refused'), NOBODY)).rejects.toMatchObject({
      retriable: false,
      message: expect.stringContaining('NOPERM'),
    })
    await control.quit()
  })

  it('gives a frozen server up long before redis_socket_timeout, and stores once it goes on', async () => {
    const link = await openLink(server.port)
    backend = backendAt(`redis://127.0.0.1:${link.port}/0`, { redis_socket_timeout: 3600 })
    await backend.start()
    link.stall()
    await expect(backend.store(success('frozen'), NOBODY)).rejects.toMatchObject({ retriable: true })
    link.cut()
    link.resume()
    await waitFor(() => backend.healthy(), { what: 'the connection' })
    await backend.store(success('frozen'), NOBODY)
    await link.close()
  })

  it('gives a frozen server up as soon when nothing was asked of it before', async () => {
    const link = await openLink(server.port)
    backend = backendAt(`redis://127.0.0.1:${link.port}/0`, { redis_socket_timeout: 3600 })
    await backend.start()
    // A silence in which there is nothing to wait for is what it is about.
    await pause(5_500)
    link.stall()
    await expect(backend.store(success('idle'), NOBODY)).rejects.toMatchObject({ retriable: true })
    await link.close()
  })

  it('says goodbye to a frozen server without waiting for its answer', async () => {
    const link = await openLink(server.port)
    backend = backendAt(`redis://127.0.0.1:${link.port}/0`, { redis_socket_timeout: 3600 })
    await backend.start()
    link.stall()
    await backend.stop()
    await link.close()
  })
})
