import { beforeEach, describe, expect, it } from '@jest/globals'
import { BreakerOpen, type BreakerOptions } from '../../lib/breaker.js'
import { OfflineApp } from '../support/offlineLine.js'
import { waitFor } from '../support/waitFor.js'

describe('app.breaker', () => {
  let app: OfflineApp

  beforeEach(() => {
    app = new OfflineApp('spec')
  })

  it('gives a function with the same arguments and result', async () => {
    const add = app.breaker('adder', async (x: number, y: number) => x + y)
    expect(await add(2, 3)).toBe(5)
  })

  it('guards a function that returns no promise, and one that throws at once', async () => {
    const half = app.breaker('half', (x: number) => x / 2)
    expect(await half(8)).toBe(4)
    const broken = app.breaker('broken', (): number => {
      throw new Error('at once')
    })
    await expect(broken()).rejects.toThrow('at once')
  })

  it('refuses calls after five failures, unless told otherwise, and then calls no more', async () => {
    let calls = 0
    const call = app.breaker('service', async () => {
      calls++
      throw new Error('away')
    })
    for (let n = 0; n < 5; n++) await expect(call()).rejects.toThrow('away')
    await expect(call()).rejects.toThrow(BreakerOpen)
    expect(calls).toBe(5)
    expect(app.breakers.get('service')).toMatchObject({ state: 'open', opens: 1, lastError: 'away' })
  })

  it('takes an option that is undefined as not given', async () => {
    const nothing = { errorThresholdPercentage: undefined, volumeThreshold: undefined, windowMs: undefined }
    const call = app.breaker('service', () => Promise.reject(new Error('away')), { ...nothing } as BreakerOptions)
    for (let n = 0; n < 5; n++) await expect(call()).rejects.toThrow('away')
    await expect(call()).rejects.toThrow(BreakerOpen)
  })

  it('closes when a call succeeds after a while', async () => {
    let isAway = true
    const call = app.breaker(
      'service',
      async () => {
        if (isAway) throw new Error('away')
        return 'here'
      },
      { volumeThreshold: 1, resetTimeoutMs: 20 },
    )
    await expect(call()).rejects.toThrow('away')
    isAway = false
    const { breakers } = app
    await waitFor(() => breakers.get('service')?.state === 'half-open', { what: 'the next try' })
    expect(await call()).toBe('here')
    expect(breakers.get('service')?.state).toBe('closed')
  })

  it('lists the breakers in the order in which they were made', () => {
    app.breaker('b', async () => undefined)
    app.breaker('a', async () => undefined)
    expect([...app.breakers].map(({ name, state, opens, lastError }) => ({ name, state, opens, lastError }))).toEqual([
      { name: 'b', state: 'closed', opens: 0, lastError: null },
      { name: 'a', state: 'closed', opens: 0, lastError: null },
    ])
    expect(app.breakers.get('c')).toBeNull()
  })

  it('refuses a name that is empty, taken, or of a breaker of the worker', () => {
    const nothing = async (): Promise<void> => undefined
    app.breaker('a', nothing)
    expect(() => app.breaker('a', nothing)).toThrow(new TypeError('there is a breaker a already'))
    expect(() => app.breaker('', nothing)).toThrow(TypeError)
    for (const name of ['results', 'publisher']) {
      expect(() => app.breaker(name, nothing)).toThrow(`a breaker can't be called ${name}`)
    }
  })
})
