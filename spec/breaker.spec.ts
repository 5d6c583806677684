import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { type Breaker, BreakerOpen, type BreakerState, createBreaker } from '../lib/breaker.js'
import { waitFor } from './support/waitFor.js'

const OPTIONS = { windowMs: 1000, volumeThreshold: 2, resetTimeoutMs: 30 }
class Fault extends Error {}
class Refused extends Error {}

describe('createBreaker', () => {
  let breaker: Breaker<[string], string>
  let changes: BreakerState[]
  let calls: string[]
  let failure: Error | null
  let hold: Promise<string> | null = null

  const make = (more = {}): void => {
    calls = []
    changes = []
    failure = null
    breaker = createBreaker(
      'spec',
      async (text: string) => {
        calls.push(text)
        if (failure) throw failure
        if (hold) return hold
        return text.toUpperCase()
      },
      { ...OPTIONS, ...more },
    )
    breaker.onChange((state) => changes.push(state))
  }
  const fail = async (times: number): Promise<void> => {
    failure = new Fault('away')
    for (let n = 0; n < times; n++) await expect(breaker.run('x')).rejects.toThrow(Fault)
  }
  const state = (wanted: BreakerState) => waitFor(() => breaker.state === wanted, { what: wanted })

  afterEach(() => breaker.stop())

  it('passes arguments and results through while closed', async () => {
    make()
    expect(await breaker.run('abc')).toBe('ABC')
    expect(breaker.state).toBe('closed')
  })

  it('opens after the failures, and then refuses without calling', async () => {
    make({ resetTimeoutMs: 60_000 })
    await fail(2)
    expect(breaker.state).toBe('open')
    await expect(breaker.run('y')).rejects.toThrow(BreakerOpen)
    await expect(breaker.run('y')).rejects.toMatchObject({ retriable: true, code: 'CELERIAC_BREAKER_OPEN' })
    expect(calls).toEqual(['x', 'x'])
  })

  it('lets one call through when half open, and closes if it succeeds', async () => {
    make()
    await fail(2)
    await state('half-open')
    failure = null
    const [first, second] = await Promise.allSettled([breaker.run('a'), breaker.run('b')])
    expect(first).toMatchObject({ status: 'fulfilled', value: 'A' })
    expect(second).toMatchObject({ status: 'rejected', reason: expect.any(BreakerOpen) })
    expect(changes).toEqual(['open', 'half-open', 'closed'])
  })

  it('refuses while open, and while the one call of half open is under way', async () => {
    make()
    expect(breaker.refuses).toBe(false)
    await fail(2)
    expect(breaker.refuses).toBe(true)
    await state('half-open')
    expect(breaker.refuses).toBe(false)
    failure = null
    const trying = breaker.run('a')
    expect(breaker.refuses).toBe(true)
    await trying
    expect(breaker.refuses).toBe(false)
  })

  it('opens again if that call fails', async () => {
    make()
    await fail(2)
    await state('half-open')
    await expect(breaker.run('a')).rejects.toThrow(Fault)
    expect(breaker.state).toBe('open')
  })

  it('does not count errors that are no failure', async () => {
    make({ isFailure: (error: unknown) => !(error instanceof Refused) })
    failure = new Refused('bad argument')
    for (let n = 0; n < 5; n++) await expect(breaker.run('x')).rejects.toThrow(Refused)
    expect(breaker.state).toBe('closed')
  })

  it('counts how often it has opened, and remembers the last failure without the password of a URL', async () => {
    make({ isFailure: (error: unknown) => !(error instanceof Refused) })
    expect([breaker.opens, breaker.lastError]).toEqual([0, null])
    await fail(2)
    expect([breaker.opens, breaker.lastError]).toEqual([1, 'away'])
    await state('half-open')
    failure = new Fault(`no answer of https://me:secret@host/ ${'x'.repeat(400)}`)
    await expect(breaker.run('y')).rejects.toThrow(Fault)
    expect(breaker.opens).toBe(2)
    expect(breaker.lastError).toMatch(/^no answer of https:\/\/me:\*\*@host\/ x+$/)
    expect(breaker.lastError).toHaveLength(300)
    await state('half-open')
    failure = new Refused('bad argument')
    await expect(breaker.run('z')).rejects.toThrow(Refused)
    expect([breaker.state, breaker.opens]).toEqual(['closed', 2])
    expect(breaker.lastError).toMatch(/^no answer/)
  })

  it('tells of the end of each call that was made, until nobody listens', async () => {
    make({ isFailure: (error: unknown) => !(error instanceof Refused), resetTimeoutMs: 60_000 })
    const ends: Array<string | null> = []
    const leave = breaker.onCall((failure) => ends.push(failure ? failure.message : null))
    await breaker.run('a')
    failure = new Refused('bad argument')
    await expect(breaker.run('b')).rejects.toThrow(Refused)
    await fail(3)
    expect(breaker.state).toBe('open')
    await expect(breaker.run('c')).rejects.toThrow(BreakerOpen)
    expect(ends).toEqual([null, null, 'away', 'away', 'away'])
    leave()
    breaker.observe(null)
    expect(ends).toHaveLength(5)
  })

  it('counts calls that were made elsewhere as its own, whatever it thinks of their errors', async () => {
    make({ isFailure: () => false })
    breaker.observe(new Error('away'))
    breaker.observe(new Error('away still'))
    await state('open')
    expect(breaker.lastError).toBe('away still')
    breaker.observe(null)
    await state('half-open')
    breaker.observe(null)
    await state('closed')
    expect(calls).toEqual([])
    expect(changes).toEqual(['open', 'half-open', 'closed'])
  })

  it('lets another call through when one that it let through does not end', async () => {
    jest.useFakeTimers()
    try {
      make()
      await fail(2)
      jest.advanceTimersByTime(30)
      failure = null
      hold = new Promise<string>(() => undefined)
      void breaker.run('stuck')
      hold = null
      jest.advanceTimersByTime(59_999)
      await expect(breaker.run('a')).rejects.toThrow(BreakerOpen)
      jest.advanceTimersByTime(1)
      expect(breaker.state).toBe('open')
      expect(breaker.lastError).toBe('a call that was let through did not end within 60 s')
      jest.advanceTimersByTime(30)
      expect(await breaker.run('b')).toBe('B')
      expect(changes).toEqual(['open', 'half-open', 'open', 'half-open', 'closed'])
    } finally {
      jest.useRealTimers()
    }
  })

  it('takes over a state that was decided elsewhere', async () => {
    make({ resetTimeoutMs: 60_000 })
    breaker.follow('closed')
    breaker.follow('open')
    await expect(breaker.run('a')).rejects.toThrow(BreakerOpen)
    breaker.follow('half-open')
    expect(await breaker.run('b')).toBe('B')
    expect(changes).toEqual(['open', 'closed'])
  })

  it('tells no more changes to one who has left', async () => {
    make()
    const heard: BreakerState[] = []
    breaker.onChange((state) => heard.push(state))()
    await fail(2)
    expect(heard).toEqual([])
    expect(changes).toEqual(['open'])
  })

  it('refuses calls after stop', async () => {
    make()
    breaker.stop()
    await expect(breaker.run('x')).rejects.toThrow(BreakerOpen)
    expect(calls).toEqual([])
  })
})
