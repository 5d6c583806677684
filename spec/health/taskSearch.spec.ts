import { afterEach, describe, expect, it } from '@jest/globals'
import { HttpServer } from '../../lib/health/server.js'
import { type TaskSearchOptions, taskSearchRoutes } from '../../lib/health/taskSearch.js'
import { deferred } from '../../lib/listeners.js'
import { resultMeta } from '../../lib/protocol/result.js'
import { ask } from '../support/ask.js'
import { MemoryBackend } from '../support/memoryBackend.js'
import { MemoryLog } from '../support/memoryLog.js'
import { Gated, OfflineApp } from '../support/offlineLine.js'
import { offlineSource } from './snapshotSource.js'

describe('GET /api/task', () => {
  let server: HttpServer | null = null

  const serve = async (over: Partial<TaskSearchOptions> = {}) => {
    const app = new OfflineApp('spec')
    const gated = new Gated()
    app.task('echo', { orderBy: 'args.0' }, gated.run)
    const { offline, source } = offlineSource(app, { slots: 1 })
    const backend = Object.assign(new MemoryBackend(), { storeUnlessReady: async () => undefined })
    const { clock } = offline
    const routes = taskSearchRoutes({ state: offline.line.state, backend, clock, failures: source.failures, ...over })
    const log = new MemoryLog()
    server = new HttpServer({ address: { host: '127.0.0.1', port: 0 }, routes, asked: true, clock, log })
    await server.start()
    const find = async (query: string) => {
      const { body, status } = await ask(server?.address?.port ?? 0, `/api/task${query}`, {})
      return { status, ...(JSON.parse(body) as Record<string, unknown>) }
    }
    return { backend, clock, find, gated, offline }
  }

  afterEach(() => server?.stop())

  it('tells what the worker has in hand, without arguments', async () => {
    const { clock, find, offline } = await serve()
    offline.deliver('echo', { id: 'one', args: ['secret-1'] })
    offline.deliver('echo', { id: 'two', args: ['secret-1'] })
    await clock.advance(5000)
    const common = { task: 'echo', queue: 'spec', key: 'secret-1', retries: 0, sinceMs: 5000 }
    expect(await find('?id=one')).toMatchObject({ here: { ...common, state: 'running', waitsFor: null } })
    expect(await find('?id=two')).toMatchObject({ here: { ...common, state: 'parked', waitsFor: 'order' } })
  })

  it('tells of a failure, and of the state that is stored, without the result', async () => {
    const { backend, find, gated, offline } = await serve()
    offline.deliver('echo', { id: 'bad', args: ['a'] })
    await offline.turn()
    gated.fail('a', new RangeError('no'))
    while (offline.line.state.requests.size > 0) await offline.turn()
    expect(await find('?id=bad')).toMatchObject({
      here: null,
      failure: { task: 'echo', exception: "ValueError('no')" },
      stored: null,
    })
    await backend.store(resultMeta({ taskId: 'other', status: 'SUCCESS', result: 'hidden' }, 1000))
    expect(await find('?id=other')).toEqual({
      status: 200,
      id: 'other',
      here: null,
      failure: null,
      stored: { state: 'SUCCESS', doneAt: 1000 },
    })
  })

  it('knows nothing of a task of elsewhere', async () => {
    const { find } = await serve()
    expect(await find('?id=never')).toEqual({ status: 200, id: 'never', here: null, failure: null, stored: null })
  })

  it.each(['', '?id=', `?id=${'x'.repeat(301)}`])('refuses %j', async (query) => {
    const { find } = await serve()
    expect(await find(query)).toMatchObject({
      status: 400,
      error: expect.stringMatching(/^id has to be the id of a task/),
    })
  })

  it('answers while the result backend is silent', async () => {
    const asked = deferred<void>()
    const get = (): Promise<never> => {
      asked.resolve()
      return new Promise(() => undefined)
    }
    const { clock, find } = await serve({ backend: { get, storeUnlessReady: async () => undefined } })
    const answer = find('?id=x')
    await asked.promise
    await clock.advance(2000)
    expect(await answer).toMatchObject({
      stored: null,
      storeError: 'the result backend has not answered within 2 seconds',
    })
  })
})
