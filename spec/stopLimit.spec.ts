import { beforeEach, describe, expect, it } from '@jest/globals'
import { StopLimit } from '../lib/stopLimit.js'
import { FakeClock } from './support/fakeClock.js'

describe('StopLimit', () => {
  let clock: FakeClock
  let limit: StopLimit
  const never = new Promise<string>(() => undefined)
  const tooLate = (): string => 'too late'

  /** What has become of a wait, once promises have run their course. */
  async function fate(wait: Promise<unknown>): Promise<unknown> {
    await new Promise(setImmediate)
    return Promise.race([
      wait.then(
        (value) => value,
        (thrown: Error) => thrown.message,
      ),
      Promise.resolve('waits').then((text) => text),
    ])
  }

  beforeEach(() => {
    clock = new FakeClock()
    limit = new StopLimit(clock, 1000)
  })

  it('lets a wait go on for ever until a stop begins', async () => {
    const wait = limit.within(never, tooLate)
    clock.advance(1_000_000)
    expect(await fate(wait)).toBe('waits')
    expect(clock.pending).toBe(0)
  })

  it('ends a wait that is under way so long after the beginning of the stop', async () => {
    const wait = limit.within(never, tooLate)
    clock.advance(500)
    limit.begin()
    limit.begin()
    clock.advance(999)
    expect(await fate(wait)).toBe('waits')
    clock.advance(1)
    expect(await fate(wait)).toBe('too late')
    expect(clock.pending).toBe(0)
  })

  it('keeps no timer once all that was under way has ended', async () => {
    let end: (value: string) => void = () => undefined
    const wait = limit.within(
      new Promise<string>((resolve) => {
        end = resolve
      }),
      tooLate,
    )
    limit.begin()
    expect(clock.pending).toBe(1)
    end('value')
    expect(await wait).toBe('value')
    expect(clock.pending).toBe(0)
  })

  it('gives a wait that begins during the stop as long', async () => {
    limit.begin()
    clock.advance(5_000)
    const wait = limit.within(never, tooLate)
    clock.advance(999)
    expect(await fate(wait)).toBe('waits')
    clock.advance(1)
    expect(await fate(wait)).toBe('too late')
  })

  it('passes on what the wait brings, and keeps no timer for it', async () => {
    limit.begin()
    expect(await limit.within(Promise.resolve('value'), tooLate)).toBe('value')
    await expect(limit.within(Promise.reject(new Error('its own')), tooLate)).rejects.toThrow('its own')
    expect(clock.pending).toBe(0)
  })
})
