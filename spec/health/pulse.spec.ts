import { describe, expect, it } from '@jest/globals'
import { Pulse } from '../../lib/health/pulse.js'
import { FakeClock } from '../support/fakeClock.js'

describe('the pulse', () => {
  it('beats each second from its start to its stop', async () => {
    const clock = new FakeClock(0)
    const beats: number[] = []
    const pulse = new Pulse({ clock, onBeat: (now) => beats.push(now) })
    await pulse.start()
    await pulse.start()
    clock.advance(3_500)
    await pulse.stop()
    clock.advance(5_000)
    expect(beats).toEqual([1_000, 2_000, 3_000])
    expect(pulse.latestMs).toBe(0)
  })

  it('tells how late the latest of the last fifteen beats was', async () => {
    let late = 0
    const clock = new FakeClock(0)
    const pulse = new Pulse({
      clock: {
        now: () => clock.now(),
        monotonic: () => clock.monotonic() + late,
        setTimer: (fn, delayMs) => clock.setTimer(fn, delayMs),
      },
      onBeat: () => undefined,
    })
    await pulse.start()
    late = 400
    clock.advance(1_000)
    expect(pulse.latestMs).toBe(400)
    clock.advance(14_000)
    expect(pulse.latestMs).toBe(400)
    clock.advance(1_000)
    expect(pulse.latestMs).toBe(0)
  })

  it('tells how busy the event loop is', async () => {
    const clock = new FakeClock(0)
    const pulse = new Pulse({ clock, onBeat: () => undefined })
    expect(pulse.utilisation).toBe(0)
    await pulse.start()
    clock.advance(1_000)
    const until = performance.now() + 50
    while (performance.now() < until);
    expect(pulse.utilisation).toBeGreaterThan(0.5)
    expect(pulse.utilisation).toBeLessThanOrEqual(1)
  })
})
