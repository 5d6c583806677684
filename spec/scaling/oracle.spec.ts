import { describe, expect, it } from '@jest/globals'
import { foresee } from './oracle.js'
import { BOUNDS, timetable } from './policies.js'
import type { Arrival } from './scenario.js'
import { simulate } from './simulation.js'
import { burst, poisson } from './traces.js'

const MINUTE = 60_000

function played(arrivals: readonly Arrival[], untilMs: number, bounds = BOUNDS) {
  const policy = timetable(foresee(arrivals, bounds, untilMs))
  return simulate({ queues: ['q'], arrivals, untilMs, workers: [{ policy }] })
}

describe('the oracle', () => {
  it('opens the fewest slots that start a burst within the target, and keeps them for the keepalive', () => {
    // 38 slots start 51 rounds in 1000 ms: 1938 of 2000. 39 start 1989, 40 all.
    expect(foresee(burst(2000, 20, 10_000), BOUNDS, 2 * MINUTE)).toEqual([
      { at: 0, slots: 2 },
      { at: 10_000, slots: 40 },
      { at: 41_000, slots: 2 },
    ])
  })

  it('opens no slot for what can wait for a run to end', () => {
    const arrivals = [...burst(2, 900, 0), ...burst(2, 900, 500)]
    expect(foresee(arrivals, BOUNDS, MINUTE)).toEqual([{ at: 0, slots: 2 }])
  })

  it('keeps a slot for the keepalive after a run that is longer than the target', () => {
    const table = foresee(burst(10, 20_000, 10_000), BOUNDS, 2 * MINUTE)
    // Two run from 10 s on; the others wait for a second, which is allowed.
    expect(table).toEqual([
      { at: 0, slots: 2 },
      { at: 11_000, slots: 10 },
      { at: 60_000, slots: 8 },
      { at: 61_000, slots: 2 },
    ])
  })

  it('takes the most slots where they are too few, and no more than do as well where the thread is', () => {
    expect(foresee(burst(500, 2000, 1000), { ...BOUNDS, max: 20 }, MINUTE).at(-1)).toEqual({ at: 1000, slots: 20 })
    const busy = burst(500, 20, 1000).map((arrival) => ({ ...arrival, cpuMs: 20 }))
    expect(foresee(busy, BOUNDS, MINUTE)).toEqual([{ at: 0, slots: 2 }])
  })

  it('meets the target for every message when it is played', () => {
    const rate = (ms: number): number => 20 + 80 * Math.sin((Math.PI * ms) / (4 * MINUTE)) ** 2
    const serviceMs = (_: number, random: () => number): number => -Math.log(1 - random()) * 300
    const arrivals = poisson({ rate, peakRate: 100, untilMs: 4 * MINUTE, serviceMs }, 3)
    const score = played(arrivals, 4 * MINUTE)
    expect(score.longestWaitMs).toBeLessThanOrEqual(BOUNDS.targetWaitMs)
    expect(score.p95WaitMs).toBeGreaterThan(0.5 * BOUNDS.targetWaitMs)
  })
})
