import { beforeEach, describe, expect, it } from '@jest/globals'
import { AsyncResult } from '../../lib/app/asyncResult.js'
import { TimeoutError } from '../../lib/app/timeoutError.js'
import { Celery } from '../../lib/celery.js'
import { encodeException, RemoteError } from '../../lib/protocol/exception.js'
import { encodeResult, resultMeta } from '../../lib/protocol/result.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryBackend } from '../support/memoryBackend.js'
import { waitFor } from '../support/waitFor.js'

describe('AsyncResult', () => {
  let backend: MemoryBackend
  let clock: FakeClock
  let result: AsyncResult

  const store = (status: string, value: unknown, more = {}) =>
    backend.store(resultMeta({ taskId: 'id1', status, result: value, ...more }, 0))
  const pending = (timers: number) => waitFor(() => clock.pending === timers, { what: `${timers} timers` })
  const failure = encodeException(new RangeError('boom'))

  beforeEach(() => {
    backend = new MemoryBackend()
    clock = new FakeClock()
    result = new AsyncResult('id1', backend, clock)
  })

  it('gets what is there already', async () => {
    await store('SUCCESS', { a: 1 })
    expect(await result.get()).toEqual({ a: 1 })
  })

  it('waits through the states until the task is ready', async () => {
    const getting = result.get({ timeout: 10 })
    await pending(1)
    await store('STARTED', { pid: 1 })
    await store('PROGRESS', { done: 1 })
    await store('RETRY', failure)
    await store('SUCCESS', 5)
    expect(await getting).toBe(5)
    expect(clock.pending).toBe(0)
  })

  for (const status of ['FAILURE', 'REVOKED']) {
    it(`throws the exception of ${status} with its name and text`, async () => {
      await store(status, failure)
      const getting = result.get()
      await expect(getting).rejects.toThrow(RemoteError)
      await expect(getting).rejects.toMatchObject({ name: 'ValueError', message: 'boom' })
    })
  }

  it('returns the exception without propagate', async () => {
    await store('FAILURE', failure)
    expect(await result.get({ propagate: false })).toMatchObject({ name: 'ValueError', message: 'boom' })
  })

  it('gives up at the time-out, and listens no more', async () => {
    const getting = result.get({ timeout: 1.5, interval: 1 })
    const outcome = expect(getting).rejects.toThrow(TimeoutError)
    await pending(2)
    clock.advance(1500)
    await outcome
    await new Promise(setImmediate)
    expect(clock.pending).toBe(0)
  })

  it('can be asked again after a time-out', async () => {
    const getting = result.get({ timeout: 1 })
    const outcome = expect(getting).rejects.toMatchObject({ name: 'TimeoutError', retriable: true })
    await pending(1)
    clock.advance(1000)
    await outcome
    await store('SUCCESS', 5)
    expect(await result.get({ timeout: 1 })).toBe(5)
  })

  it("is Celery's own exception when a task lets the time-out through", () => {
    expect(encodeException(new TimeoutError('id1', 1))).toMatchObject({
      exc_type: 'TimeoutError',
      exc_module: 'celery.exceptions',
    })
  })

  it('looks again at each interval, for what nobody told', async () => {
    const getting = result.get({ interval: 2 })
    await pending(1)
    backend.get = async () => resultMeta({ taskId: 'id1', status: 'SUCCESS', result: 'silent' }, 0)
    clock.advance(2000)
    expect(await getting).toBe('silent')
    await new Promise(setImmediate)
    expect(clock.pending).toBe(0)
  })

  it("throws the backend's error", async () => {
    backend.get = () => Promise.reject(new Error('away'))
    await expect(result.get()).rejects.toThrow('away')
    await expect(result.state()).rejects.toThrow('away')
  })

  it('is pending while nothing is known', async () => {
    expect(await result.state()).toBe('PENDING')
    expect(await result.ready()).toBe(false)
    expect(await result.result()).toBeNull()
    expect(await result.traceback()).toBeNull()
  })

  const states: Array<[status: string, ready: boolean, successful: boolean, failed: boolean]> = [
    ['STARTED', false, false, false],
    ['RETRY', false, false, false],
    ['SUCCESS', true, true, false],
    ['FAILURE', true, false, true],
    ['REVOKED', true, false, false],
  ]
  for (const [status, ready, successful, failed] of states) {
    it(`answers for ${status}`, async () => {
      await store(status, ['RETRY', 'FAILURE', 'REVOKED'].includes(status) ? failure : 1)
      expect([await result.state(), await result.ready(), await result.successful(), await result.failed()]).toEqual([
        status,
        ready,
        successful,
        failed,
      ])
    })
  }

  it('has the value, the progress or the error as its result', async () => {
    await store('PROGRESS', { done: 3 })
    expect(await result.result()).toEqual({ done: 3 })
    await store('FAILURE', failure, { traceback: 'tb' })
    expect(await result.result()).toMatchObject({ name: 'ValueError' })
    expect(await result.traceback()).toBe('tb')
  })

  it('asks for a final state once, until it is forgotten', async () => {
    await store('SUCCESS', 5)
    expect(await result.get()).toBe(5)
    backend.away = true
    backend.get = () => Promise.reject(new Error('asked again'))
    expect(await result.get()).toBe(5)
    await result.forget()
    await expect(result.get()).rejects.toThrow('asked again')
  })

  it('is stored as its tuple when a task returns it', async () => {
    const child = new AsyncResult('child', backend, clock, result)
    const text = encodeResult(resultMeta({ taskId: 'x', status: 'SUCCESS', result: child }, 0))
    expect(JSON.parse(text).result).toEqual([['child', [['id1', null], null]], null])
  })

  it.each([[undefined], [null], [''], [7], [['id1']]])(
    'is not there for %j, for which nothing would ever come',
    (id) => {
      const app = new Celery('spec')
      expect(() => app.asyncResult(id as string)).toThrow(
        /^asyncResult: the id is .*: expected a text that is not empty$/,
      )
      return expect(app.restoreGroup(id as string)).rejects.toThrow(TypeError)
    },
  )
})
