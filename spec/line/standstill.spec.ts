import { beforeEach, describe, expect, it } from '@jest/globals'
import { Standstill } from '../../lib/line/standstill.js'
import { FakeClock } from '../support/fakeClock.js'

const LIMIT = 10

describe('a process that stands still', () => {
  let clock: FakeClock
  let found: number[]
  let standstill: Standstill
  /** Time that passes while no timer fires. */
  let asleepMs: number

  beforeEach(async () => {
    clock = new FakeClock()
    found = []
    asleepMs = 0
    standstill = new Standstill({
      clock: {
        now: () => clock.now(),
        monotonic: () => clock.monotonic() + asleepMs,
        setTimer: (fn, delayMs) => clock.setTimer(fn, delayMs),
      },
    })
    standstill.onFound((seconds) => found.push(seconds))
    standstill.limit = LIMIT
    await standstill.start()
  })

  it('is found before the first run after it, once', () => {
    asleepMs = 15_000
    standstill.check()
    expect(found).toEqual([15])
    standstill.check()
    clock.advance(60_000)
    expect(found).toEqual([15])
  })

  it('is found by itself where nothing is to run', () => {
    asleepMs = 15_000
    clock.advance(1_000)
    expect(found).toHaveLength(1)
  })

  it('is none as long as the broker would wait, and where there is no heartbeat', () => {
    asleepMs = 9_000
    standstill.check()
    clock.advance(3_600_000)
    standstill.check()
    standstill.limit = 0
    asleepMs += 1_000_000
    standstill.check()
    expect(found).toEqual([])
  })

  it('looks no more once it is stopped, and may be stopped twice', async () => {
    await standstill.stop()
    await standstill.stop()
    expect(clock.pending).toBe(0)
    asleepMs = 15_000
    standstill.check()
    expect(found).toEqual([])
  })
})
