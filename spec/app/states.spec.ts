import { getMaxListeners } from 'node:events'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { AsyncResult, type TaskState } from '../../lib/app/asyncResult.js'
import { encodeException } from '../../lib/protocol/exception.js'
import { resultMeta } from '../../lib/protocol/result.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryBackend } from '../support/memoryBackend.js'
import { waitFor } from '../support/waitFor.js'

const PENDING = { state: 'PENDING', ready: false, meta: null, result: null }
const progress = (done: number) => ({ state: 'PROGRESS', ready: false, meta: { done }, result: null })
const success = (result: unknown) => ({ state: 'SUCCESS', ready: true, meta: null, result })

describe('the states of a result', () => {
  let backend: MemoryBackend
  let clock: FakeClock
  let result: AsyncResult
  let subscribed: number

  const store = (status: string, value: unknown) =>
    backend.store(resultMeta({ taskId: 'id1', status, result: value }, 0))
  const failure = encodeException(new RangeError('boom'))

  beforeEach(() => {
    backend = new MemoryBackend()
    clock = new FakeClock()
    result = new AsyncResult('id1', backend, clock)
    subscribed = 0
    const subscribe = backend.subscribe.bind(backend)
    backend.subscribe = async (...args) => {
      const leave = await subscribe(...args)
      subscribed++
      return async () => {
        subscribed--
        await leave()
      }
    }
  })

  /** Reads one and then tells the next, so that none is missed for want of a reader. */
  async function readThrough(tell: ReadonlyArray<() => unknown>): Promise<TaskState[]> {
    const seen: TaskState[] = []
    const next = tell.values()
    for await (const state of result.states()) {
      seen.push(state)
      await next.next().value?.()
    }
    return seen
  }

  it('come one after another until it is ready', async () => {
    const seen = await readThrough([
      () => store('STARTED', { pid: 1 }),
      () => store('PROGRESS', { done: 1 }),
      () => store('PROGRESS', { done: 2 }),
      () => store('SUCCESS', 5),
    ])
    const started = { state: 'STARTED', ready: false, meta: { pid: 1 }, result: null }
    expect(seen).toEqual([PENDING, started, progress(1), progress(2), success(5)])
    expect([subscribed, clock.pending]).toEqual([0, 0])
  })

  it('begin with the present one, and tell a failure without throwing it', async () => {
    await store('PROGRESS', { done: 1 })
    const seen = await readThrough([() => store('RETRY', failure), () => store('FAILURE', failure)])
    const error = expect.objectContaining({ name: 'ValueError', message: 'boom' })
    expect(seen).toEqual([
      progress(1),
      { state: 'RETRY', ready: false, meta: error, result: null },
      { state: 'FAILURE', ready: true, meta: null, result: error },
    ])
  })

  it('are those that came between two reads, each once', async () => {
    const states = result.states()
    await states.next()
    for (const done of [1, 1, 2]) await store('PROGRESS', { done })
    await store('SUCCESS', 5)
    const seen: TaskState[] = []
    for await (const state of states) seen.push(state)
    expect(seen).toEqual([progress(1), progress(2), success(5)])
  })

  it('are the last 1,000, if nobody reads', async () => {
    const states = result.states()
    await states.next()
    for (let done = 0; done < 1200; done++) await store('PROGRESS', { done })
    expect((await states.next()).value).toEqual(progress(200))
    await states.return()
  })

  it('do not go back to what was read before the last one was told', async () => {
    const { get } = backend
    backend.get = async (id) => {
      const old = await get.call(backend, id)
      backend.get = get
      await store('PROGRESS', { done: 1 })
      return old
    }
    const states = result.states()
    expect((await states.next()).value).toEqual(progress(1))
    await states.return()
  })

  it('are one, of a result that is known', async () => {
    await store('SUCCESS', 5)
    await result.get()
    backend.away = true
    backend.subscribe = () => Promise.reject(new Error('asked again'))
    expect(await readThrough([])).toEqual([success(5)])
  })

  it('end with the loop that leaves them', async () => {
    for await (const _ of result.states({ timeout: 10, interval: 1 })) {
      expect(subscribed).toBe(1)
      break
    }
    expect([subscribed, clock.pending]).toEqual([0, 0])
  })

  it('are looked for at each interval', async () => {
    const states = result.states({ interval: 2 })
    await states.next()
    const next = states.next()
    await waitFor(() => clock.pending === 1, { what: 'the next look' })
    backend.get = async () => resultMeta({ taskId: 'id1', status: 'SUCCESS', result: 'silent' }, 0)
    clock.advance(2000)
    expect((await next).value).toEqual(success('silent'))
    await states.next()
  })

  it('are asked for no more once the app is closed, although their reader has not come back', async () => {
    let close: (error: Error) => void = () => undefined
    const subscribe = async (_: string, __: unknown, onEnd: (error: Error) => void) => {
      close = onEnd
      return async () => undefined
    }
    const states = new AsyncResult('id1', Object.assign(backend, { subscribe }), clock).states({
      timeout: 60,
      interval: 2,
    })
    await states.next()
    await waitFor(() => clock.pending === 2, { what: 'the next look' })
    close(new Error('closed'))
    expect(clock.pending).toBe(0)
    await expect(states.next()).rejects.toThrow('closed')
  })

  it('are asked for no more once the last one has come, although their reader has not come back', async () => {
    const states = result.states({ interval: 2 })
    await states.next()
    await waitFor(() => clock.pending === 1, { what: 'the next look' })
    await store('SUCCESS', 5)
    clock.advance(2000)
    await new Promise(setImmediate)
    expect(clock.pending).toBe(0)
    expect((await states.next()).value).toEqual(success(5))
    await states.next()
  })

  it('are waited for by any number of results with one signal, of which Node does not warn', async () => {
    const { signal } = new AbortController()
    const most = (): number => {
      try {
        return getMaxListeners(signal)
      } catch {
        // Node 20 throws where there is no limit.
        return 0
      }
    }
    expect(most()).toBeGreaterThan(0)
    const states = result.states({ signal })
    await states.next()
    expect(most()).toBe(0)
    await states.return()
  })

  describe.each(['get', 'states'] as const)('and %s', (call) => {
    const wait = async (options: { timeout?: number; signal?: AbortSignal }): Promise<void> => {
      if (call === 'get') await result.get(options)
      else for await (const _ of result.states(options));
    }

    it('give up at the time-out', async () => {
      const waiting = wait({ timeout: 1.5 })
      const outcome = expect(waiting).rejects.toMatchObject({ name: 'TimeoutError', retriable: true })
      await waitFor(() => subscribed === 1, { what: 'the wait' })
      clock.advance(1500)
      await outcome
      expect([subscribed, clock.pending]).toEqual([0, 0])
    })

    it('give up at the time-out although the backend does not answer that nobody listens any more', async () => {
      const subscribe = backend.subscribe.bind(backend)
      backend.subscribe = async (...args) => {
        await subscribe(...args)
        subscribed++
        return () => new Promise(() => undefined)
      }
      const waiting = expect(wait({ timeout: 2 })).rejects.toMatchObject({ name: 'TimeoutError' })
      await waitFor(() => subscribed > 0, { what: 'the subscription' })
      clock.advance(2000)
      await waiting
    })

    it('end when the signal is aborted, with its reason', async () => {
      const controller = new AbortController()
      const waiting = wait({ signal: controller.signal, timeout: 10 })
      const outcome = expect(waiting).rejects.toThrow('enough')
      await waitFor(() => subscribed === 1, { what: 'the wait' })
      controller.abort(new Error('enough'))
      await outcome
      expect([subscribed, clock.pending]).toEqual([0, 0])
      await expect(wait({ signal: controller.signal })).rejects.toThrow('enough')
      expect(subscribed).toBe(0)
    })

    it("throw the backend's error", async () => {
      backend.get = () => Promise.reject(new Error('away'))
      await expect(wait({})).rejects.toThrow('away')
      expect(subscribed).toBe(0)
    })
  })

  it.each([
    [{ propagate: false }, 'states: propagate is not an option here: a failure is reported as a state'],
    [{ time_out: 5 }, 'states: time_out is not an option; did you mean timeout?'],
    [{ signal: {} }, 'states: signal is {}: expected an AbortSignal'],
    [5000, 'states(5000): write states({ timeout: 5000 }), where the timeout is in seconds'],
  ])('refuse %j at once', (options, text) => {
    expect(() => result.states(options as object)).toThrow(text)
  })
})
