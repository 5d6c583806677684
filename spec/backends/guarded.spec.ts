import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { GuardedBackend, type GuardOptions } from '../../lib/backends/guarded.js'
import { systemClock } from '../../lib/clock.js'
import { resultMeta } from '../../lib/protocol/result.js'
import { EncodeError } from '../../lib/protocol/resultText.js'
import { StopLimit } from '../../lib/stopLimit.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryBackend } from '../support/memoryBackend.js'
import { MemoryLog } from '../support/memoryLog.js'
import { waitFor } from '../support/waitFor.js'

const NOBODY = { replyTo: null, correlationId: null }
const QUICK = { retryMs: 5, stopTimeoutMs: 20, breaker: { windowMs: 1000, volumeThreshold: 2, resetTimeoutMs: 20 } }
const meta = (taskId: string, status = 'SUCCESS', result: unknown = null) => resultMeta({ taskId, status, result }, 0)

describe('GuardedBackend', () => {
  let inner: MemoryBackend
  let log: MemoryLog
  let guarded: GuardedBackend

  const guard = (more: Partial<GuardOptions> = {}): void => {
    guarded = new GuardedBackend(inner, { clock: systemClock, log, ...QUICK, ...more })
  }
  const state = (wanted: string) => waitFor(() => guarded.breaker.state === wanted, { what: wanted })

  beforeEach(() => {
    inner = new MemoryBackend()
    log = new MemoryLog()
    guard()
  })
  afterEach(async () => {
    inner.away = false
    await guarded.stop()
  })

  it('resolves once the result is stored, and not before', async () => {
    inner.away = true
    let stored = false
    const storing = guarded.store(meta('a'), NOBODY).then(() => {
      stored = true
    })
    await waitFor(() => inner.tries >= 2, { what: 'two tries' })
    expect(stored).toBe(false)
    inner.away = false
    await storing
    expect(inner.stored).toEqual(['a SUCCESS'])
    expect(guarded.kept).toBe(0)
  })

  it('keeps every result of an outage, and stores each exactly once', async () => {
    inner.away = true
    const ids = Array.from({ length: 500 }, (_, n) => `t${n}`)
    const all = Promise.all(ids.map((id) => guarded.store(meta(id), NOBODY)))
    await state('open')
    expect(guarded.kept).toBe(500)
    inner.away = false
    await all
    expect(inner.stored.sort()).toEqual(ids.map((id) => `${id} SUCCESS`).sort())
  })

  it('stores the states of a task in their order, also across an outage', async () => {
    inner.away = true
    const started = guarded.store(meta('a', 'STARTED'), NOBODY)
    await state('open')
    const rest = [guarded.store(meta('a', 'PROGRESS'), NOBODY), guarded.store(meta('a', 'SUCCESS'), NOBODY)]
    inner.away = false
    await Promise.all([started, ...rest])
    expect(inner.stored).toEqual(['a STARTED', 'a PROGRESS', 'a SUCCESS'])
  })

  it('tries nothing while the breaker is open', async () => {
    guard({ breaker: { ...QUICK.breaker, resetTimeoutMs: 60_000 } })
    inner.away = true
    const all = Promise.allSettled([guarded.store(meta('a'), NOBODY), guarded.store(meta('b'), NOBODY)])
    await state('open')
    const { tries } = inner
    const more = Promise.allSettled(['c', 'd', 'e'].map((id) => guarded.store(meta(id), NOBODY)))
    await new Promise(setImmediate)
    expect(inner.tries).toBe(tries)
    await guarded.stop()
    await Promise.all([all, more])
  })

  it('tries one result at a time once the breaker is half open', async () => {
    inner.away = true
    const all = ['a', 'b', 'c', 'd'].map((id) => guarded.store(meta(id), NOBODY))
    await state('open')
    const { tries } = inner
    const store = inner.store.bind(inner)
    let underWay = 0
    const counts: number[] = []
    inner.store = async (...args) => {
      counts.push(++underWay)
      await new Promise(setImmediate)
      underWay--
      return store(...args)
    }
    await waitFor(() => inner.tries >= tries + 3, { what: 'three tries' })
    expect(new Set(counts)).toEqual(new Set([1]))
    expect(log.of('WARNING')).toHaveLength(1)
    inner.away = false
    await Promise.all(all)
  })

  it('is healthy, unhealthy while it keeps results, and healthy again', async () => {
    expect(guarded.healthy()).toBe(true)
    inner.away = true
    const storing = guarded.store(meta('a'), NOBODY)
    await state('open')
    expect(guarded.healthy()).toBe(false)
    inner.away = false
    await storing
    expect(guarded.healthy()).toBe(true)
    expect(log.of('WARNING')).toEqual(['memory://: results are kept until it answers again: the memory is away'])
    expect(log.of('INFO')).toHaveLength(1)
  })

  it('passes on at once what no second try can mend, and goes on with the next state', async () => {
    const failing = guarded.store(meta('a', 'SUCCESS', Number.NaN), NOBODY)
    const next = guarded.store(meta('a', 'FAILURE'), NOBODY)
    await expect(failing).rejects.toThrow(EncodeError)
    await next
    expect(inner.stored).toEqual(['a FAILURE'])
    expect(inner.tries).toBe(2)
    expect(guarded.breaker.state).toBe('closed')
  })

  it('waits at stop for what can still be stored', async () => {
    guard({ stopTimeoutMs: 60_000 })
    inner.away = true
    const storing = guarded.store(meta('a'), NOBODY)
    await state('open')
    const stopping = guarded.stop()
    inner.away = false
    await stopping
    await storing
    expect(inner.stored).toEqual(['a SUCCESS'])
    expect(inner.stopped).toBe(true)
  })

  it('gives up after the limit of stop, and says so to the log and to those who wait', async () => {
    inner.away = true
    const storing = guarded.store(meta('a'), NOBODY)
    const outcome = expect(storing).rejects.toMatchObject({ code: 'CELERIAC_BACKEND', retriable: true })
    await guarded.stop()
    await outcome
    expect(log.of('ERROR')).toEqual(['memory://: 1 results could not be stored: the memory is away'])
    expect(inner.stopped).toBe(true)
  })

  it('refuses results after stop', async () => {
    await guarded.stop()
    await expect(guarded.store(meta('a'), NOBODY)).rejects.toMatchObject({ code: 'CELERIAC_BACKEND' })
  })

  it('gives a result up that is not stored in the time that a stop leaves it, and goes on with the others', async () => {
    const clock = new FakeClock()
    const stopLimit = new StopLimit(clock, 10_000)
    guard({ stopLimit })
    inner.away = true
    const early = guarded.store(meta('a'), NOBODY)
    await state('open')
    stopLimit.begin()
    const later = guarded.store(meta('b'), NOBODY)
    clock.advance(10_000)
    for (const storing of [early, later])
      await expect(storing).rejects.toMatchObject({
        retriable: true,
        message: expect.stringMatching(/^the result of task [ab] was not stored: the memory is away$/),
      })
    expect(guarded.kept).toBe(0)
    inner.away = false
    await guarded.store(meta('c'), NOBODY)
    expect(inner.stored.filter((stored) => stored.startsWith('c'))).toEqual(['c SUCCESS'])
  })
})
