import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { Redis as Client } from 'ioredis'
import { createBackend } from '../../lib/backends/index.js'
import type { Backend, ChordPart, ChordStore } from '../../lib/ports.js'
import { MemoryLog } from '../support/memoryLog.js'
import { redisUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

const publisher = { publish: async () => undefined }

function backendWith(more: Record<string, unknown>, url = redisUrl(), log = new MemoryLog()): Backend {
  return createBackend({ result_backend: url, result_expires: 100, ...more }, { publisher, log })
}

describe('RedisChords', () => {
  let client: Client
  let backend: Backend | null = null
  let group: string
  const keyOf = (key: string) => `celery-taskset-meta-${group}.${key}`
  const part = (groupIndex: number | null, id: string, more: Partial<ChordPart> = {}): ChordPart => ({
    groupId: group,
    groupIndex,
    id,
    state: 'SUCCESS',
    result: groupIndex,
    isRepeated: false,
    ...more,
  })

  beforeAll(() => {
    client = new Client(redisUrl())
  })
  beforeEach(() => {
    group = randomUUID()
  })
  afterEach(async () => {
    await backend?.stop()
    backend = null
  })
  afterAll(() => client.quit())

  const open = async (
    more: Record<string, unknown> = {},
    url = redisUrl(),
    log = new MemoryLog(),
  ): Promise<ChordStore> => {
    backend = backendWith(more, url, log)
    await backend.start()
    if (!backend.chords) throw new Error('no chords')
    return backend.chords
  }

  /** The commands about the group that clients send while `act` runs, those within scripts left out. */
  async function commandsOf(act: () => Promise<unknown>): Promise<string[]> {
    const monitor = await client.monitor()
    const seen: string[] = []
    monitor.on('monitor', (_time, args: string[], source: string) => {
      const command = args.join(' ').replaceAll(group, 'G')
      if (source !== 'lua' && (command.includes('G') || args[0] === 'echo')) seen.push(command)
    })
    await act()
    const end = randomUUID()
    await client.echo(end)
    await waitFor(() => seen.includes(`echo ${end}`), { what: 'all commands' })
    monitor.disconnect()
    return seen.filter((command) => !command.startsWith('echo '))
  }

  it("has Celery's keys, texts, scores and expiries", async () => {
    const chords = await open()
    await chords.setSize(group, 3)
    await chords.grow(group)
    const text = 'naïve "☂"'
    await chords.addPart(part(1, 'b', { result: { text, many: [1, 2.5, null, true] } }))
    await chords.addPart(part(null, 'c', { state: 'FAILURE', result: { exc_type: 'E', exc_message: ['x'] } }))
    await chords.addPart(part(0, 'a', { result: 2 }))
    expect(await client.zrange(keyOf('j'), '0', '-1', 'WITHSCORES')).toEqual([
      '[1, "a", "SUCCESS", 2]',
      '0',
      `[1, "b", "SUCCESS", ${JSON.stringify({ text, many: [1, 2.5, null, true] })}]`,
      '1',
      '[1, "c", "FAILURE", {"exc_type":"E","exc_message":["x"]}]',
      'inf',
    ])
    expect(await client.get(keyOf('s'))).toBe('3')
    expect(await client.get(keyOf('t'))).toBe('1')
    for (const key of ['j', 's', 't']) {
      const seconds = await client.ttl(keyOf(key))
      expect(seconds).toBeGreaterThan(90)
      expect(seconds).toBeLessThanOrEqual(100)
    }
    expect(await chords.addPart(part(3, 'd'))).toEqual(expect.any(String))
    expect(await client.ttl(keyOf('c'))).toBeGreaterThan(90)
    await chords.close(group)
    expect(await client.keys(`*${group}*`)).toEqual([])
  })

  it('sends a command for each member', async () => {
    const chords = await open()
    await chords.setSize(group, 3)
    await chords.addPart(part(1, 'b'))
    expect(await commandsOf(() => chords.addPart(part(0, 'a')))).toEqual([
      expect.stringMatching(/^evalsha [0-9a-f]{40} 3 celery-taskset-meta-G\.j /),
    ])
  })

  it('sends what a Python worker sends to a server that runs no scripts', async () => {
    const name = `spec-${randomUUID()}`
    await client.call('ACL', 'SETUSER', name, 'on', '>secret', '~*', '&*', '+@all', '-eval', '-evalsha', '-@scripting')
    const url = Object.assign(new URL(redisUrl()), { username: name, password: 'secret' })
    const log = new MemoryLog()
    const chords = await open({}, url.href, log)
    await chords.setSize(group, 3)
    const seen = await commandsOf(() => chords.addPart(part(0, 'a')))
    expect(seen.filter((command) => !command.startsWith('eval'))).toEqual([
      'zadd celery-taskset-meta-G.j 0 [1, "a", "SUCCESS", 0]',
      'zcount celery-taskset-meta-G.j -inf +inf',
      'get celery-taskset-meta-G.t',
      'get celery-taskset-meta-G.s',
      'expire celery-taskset-meta-G.j 100',
      'expire celery-taskset-meta-G.t 100',
      'expire celery-taskset-meta-G.s 100',
    ])
    const failed = { state: 'FAILURE', result: { exc_type: 'E', exc_message: ['x'] } } as const
    expect(await chords.addPart(part(1, 'b', failed))).toBeNull()
    expect(await chords.addPart(part(1, 'b', { isRepeated: true }))).toBeNull()
    expect(await chords.addPart(part(1, 'b', { ...failed, isRepeated: true }))).toBeNull()
    expect(await chords.addPart(part(2, 'c'))).toEqual(expect.any(String))
    expect((await chords.members(group)).map(({ state }) => state)).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS'])
    expect(log.of('WARNING')).toEqual([expect.stringContaining('chords are counted by plain commands')])
    await client.call('ACL', 'DELUSER', name)
  })

  it('keeps nothing longer or shorter where results never expire, and puts the prefix before each key', async () => {
    const chords = await open({ result_expires: 0, result_backend_transport_options: { global_keyprefix: 'spec' } })
    await chords.setSize(group, 1)
    await chords.grow(group)
    await chords.addPart(part(0, 'a'))
    expect(await chords.addPart(part(1, 'b'))).toEqual(expect.any(String))
    const keys = (await client.keys(`*${group}*`)).sort()
    expect(keys).toEqual(['c', 'j', 's', 't'].map((key) => `spec_${keyOf(key)}`))
    expect(await Promise.all(keys.map((key) => client.ttl(key)))).toEqual([-1, -1, -1, -1])
    await chords.close(group)
  })

  it('tells the size to those who listen, as each value that is set', async () => {
    const chords = await open()
    const seen: string[] = []
    const listener = client.duplicate()
    listener.on('message', (channel, text) => seen.push(`${channel} ${text}`))
    await listener.subscribe(keyOf('s'))
    await chords.setSize(group, 7)
    await waitFor(() => seen.length > 0, { what: 'the size' })
    expect(seen).toEqual([`${keyOf('s')} 7`])
    listener.disconnect()
  })

  it('keeps a list in the order of completion with result_chord_ordered: false, and counts a repetition once', async () => {
    const chords = await open({ result_backend_transport_options: { result_chord_ordered: false } })
    await chords.setSize(group, 3)
    await chords.addPart(part(1, 'b', { state: 'FAILURE', result: { exc_type: 'E', exc_message: [] } }))
    expect(await chords.addPart(part(1, 'b', { isRepeated: true }))).toBeNull()
    expect(await chords.addPart(part(1, 'b', { isRepeated: true, result: 'other' }))).toBeNull()
    expect(await chords.addPart(part(2, 'c'))).toBeNull()
    expect(await chords.addPart(part(0, 'a'))).toEqual(expect.any(String))
    expect(await client.lrange(keyOf('j'), 0, -1)).toEqual([
      '[1, "b", "SUCCESS", 1]',
      '[1, "c", "SUCCESS", 2]',
      '[1, "a", "SUCCESS", 0]',
    ])
    expect((await chords.members(group)).map(({ id }) => id)).toEqual(['b', 'c', 'a'])
    await chords.close(group)
  })

  it('counts a member once whose message was sent twice, which looks like no repetition', async () => {
    const chords = await open()
    await chords.setSize(group, 3)
    await client.zadd(keyOf('j'), 1, '[1,"b","FAILURE",{"exc_type":"E","exc_message":[]}]')
    expect(await chords.addPart(part(0, 'a', { result: 'one' }))).toBeNull()
    expect(await chords.addPart(part(0, 'a', { result: 'other' }))).toBeNull()
    expect(await chords.addPart(part(1, 'b'))).toBeNull()
    expect(await chords.addPart(part(1, 'b', { state: 'FAILURE', result: null }))).toBeNull()
    expect(await chords.addPart(part(2, 'c'))).toEqual(expect.any(String))
    expect((await chords.members(group)).map(({ result }) => result)).toEqual(['one', 1, 2])
    await chords.close(group)
  })

  it('counts a repetition once that a worker of another kind has written, with other spaces and escapes', async () => {
    const chords = await open()
    await client.zadd(keyOf('j'), 0, '[1,"a","SUCCESS","\\u2602"]', 1, '[1, "b", "SUCCESS", {"x": 1}]')
    await chords.setSize(group, 3)
    await chords.addPart(part(0, 'a', { isRepeated: true, result: '☂' }))
    await chords.addPart(part(1, 'b', { isRepeated: true, result: { x: 1 } }))
    expect(await client.zcard(keyOf('j'))).toBe(2)
    expect(await chords.addPart(part(2, 'c'))).toEqual(expect.any(String))
    expect((await chords.members(group)).map(({ result }) => result)).toEqual(['☂', { x: 1 }, 2])
    await chords.close(group)
  })

  it('is complete, once, although its size was made smaller than the number of members that have ended', async () => {
    const chords = await open()
    await chords.setSize(group, 3)
    expect(await chords.addPart(part(0, 'a'))).toBeNull()
    expect(await chords.addPart(part(1, 'b'))).toBeNull()
    await chords.setSize(group, 2)
    expect(await chords.addPart(part(1, 'c'))).toEqual(expect.any(String))
    expect(await chords.addPart(part(1, 'd'))).toBeNull()
    await chords.close(group)
    expect(await chords.addPart(part(1, 'e'))).toBeNull()
    await chords.close(group)
  })

  it('waits for a redis that takes no writes, and not for a key of another kind', async () => {
    const chords = await open()
    await client.set(keyOf('j'), 'a text')
    await expect(chords.addPart(part(0, 'a'))).rejects.toMatchObject({ retriable: false })
    await client.del(keyOf('j'))
    const [, limit = '0'] = (await client.config('GET', 'maxmemory')) as string[]
    await client.config('SET', 'maxmemory', '1')
    try {
      await expect(chords.addPart(part(0, 'a'))).rejects.toMatchObject({ retriable: true })
      await expect(chords.setSize(group, 1)).rejects.toMatchObject({ retriable: true })
    } finally {
      await client.config('SET', 'maxmemory', limit)
    }
  })

  it('says what is no member', async () => {
    const chords = await open()
    await client.zadd(keyOf('j'), 0, '{"not": "a member"}')
    await expect(chords.members(group)).rejects.toThrow('is not the result of a member')
  })
})
