import { describe, expect, it } from '@jest/globals'
import { History, type Reading, SAMPLES } from '../../lib/health/history.js'
import { FakeClock } from '../support/fakeClock.js'

const BEGAN = 1_000_000
const IDLE: Reading = { slots: 2, busy: 0, waiting: 0, parked: 0, loop: 0, received: 0, done: 0, failed: 0 }

/** A history whose readings are `changes` over `IDLE`; they may be changed as time goes by. */
function begin(changes: Partial<Reading> = {}): { clock: FakeClock; history: History; reading: Partial<Reading> } {
  const clock = new FakeClock(BEGAN)
  const reading = { ...changes }
  return { clock, reading, history: new History({ clock, read: () => ({ ...IDLE, ...reading }) }) }
}

describe('the history', () => {
  it('takes a sample at the start and each second', async () => {
    const { clock, history, reading } = begin()
    await history.start()
    Object.assign(reading, { slots: 8, busy: 7, waiting: 40, parked: 3, loop: 0.256 })
    clock.advance(2_500)
    expect(history.since(0)).toEqual({
      at: [BEGAN, BEGAN + 1000, BEGAN + 2000],
      slots: [2, 8, 8],
      busy: [0, 7, 7],
      waiting: [0, 40, 40],
      parked: [0, 3, 3],
      loop: [0, 0.26, 0.26],
      received: [0, 0, 0],
      done: [0, 0, 0],
      failed: [0, 0, 0],
    })
  })

  it('makes rates of the totals, over the time that has really passed', async () => {
    const { clock, history, reading } = begin({ received: 100, done: 90, failed: 9 })
    await history.start()
    Object.assign(reading, { received: 130, done: 95, failed: 10 })
    clock.advance(1000)
    Object.assign(reading, { received: 131 })
    clock.advance(1000)
    expect(history.since(0)).toMatchObject({ received: [0, 30, 1], done: [0, 5, 0], failed: [0, 1, 0] })
  })

  it('gives only what came after a time, and nothing after the latest', async () => {
    const { clock, history } = begin()
    await history.start()
    clock.advance(3000)
    expect(history.since(BEGAN + 1000).at).toEqual([BEGAN + 2000, BEGAN + 3000])
    expect(history.since(BEGAN + 3000).at).toEqual([])
  })

  it('keeps ten minutes', async () => {
    const { clock, history } = begin()
    await history.start()
    clock.advance(15 * 60_000)
    const { at } = history.since(0)
    expect(at).toHaveLength(SAMPLES)
    expect([at[0], at.at(-1)]).toEqual([BEGAN + 15 * 60_000 - 599_000, BEGAN + 15 * 60_000])
  })

  it('goes on in whole seconds after a beat that came late', async () => {
    let lateMs = 0
    const clock = new FakeClock(BEGAN)
    const slow = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimer: (fn: () => void, delayMs: number) => clock.setTimer(fn, delayMs + lateMs),
    }
    const history = new History({ clock: slow, read: () => IDLE })
    lateMs = 2_300
    await history.start()
    lateMs = 0
    clock.advance(5_000)
    expect(history.since(0).at.map((at) => at - BEGAN)).toEqual([0, 3300, 4000, 5000])
  })

  it('never goes back in time, though the wall clock may be set back', async () => {
    const clock = new FakeClock(BEGAN)
    let setBackMs = 0
    const history = new History({
      clock: {
        now: () => clock.now() - setBackMs,
        monotonic: () => clock.monotonic(),
        setTimer: (fn, delayMs) => clock.setTimer(fn, delayMs),
      },
      read: () => IDLE,
    })
    await history.start()
    setBackMs = 3_600_000
    clock.advance(1000)
    expect(history.since(0).at).toEqual([BEGAN, BEGAN + 1000])
  })

  it('leaves no timer when it is stopped, and does not start again', async () => {
    const { clock, history } = begin()
    await history.start()
    await history.start()
    expect(clock.pending).toBe(1)
    await history.stop()
    await history.start()
    expect(clock.pending).toBe(0)
    expect(history.since(0).at).toHaveLength(1)
  })
})
