import { describe, expect, it } from '@jest/globals'
import { QueueAge } from '../../lib/health/queueAge.js'

const SECOND = 1_000

/** A queue that really is one, sampled each second: the estimate beside the truth. */
function simulate(
  seconds: number,
  load: (second: number) => { readonly arrive: number; readonly leave: number },
  fleet = 1,
): { readonly estimate: number; readonly truth: number } {
  const age = new QueueAge()
  const queue: number[] = []
  let taken = 0
  age.sample(0, 0, 0, fleet)
  for (let second = 1; second <= seconds; second++) {
    const { arrive, leave } = load(second)
    for (let n = 0; n < arrive; n++) queue.push((second - 1 + (n + 0.5) / arrive) * SECOND)
    taken += queue.splice(0, leave).length / fleet
    age.sample(second * SECOND, queue.length, taken, fleet)
  }
  const now = seconds * SECOND
  return { estimate: age.oldestMs(now), truth: queue[0] === undefined ? 0 : now - queue[0] }
}

describe('QueueAge', () => {
  it('is nothing for an empty queue', () => {
    expect(simulate(20, () => ({ arrive: 10, leave: 10 })).estimate).toBe(0)
  })

  it('follows a queue that grows', () => {
    const { estimate, truth } = simulate(100, () => ({ arrive: 50, leave: 30 }))
    expect(truth).toBeGreaterThan(35 * SECOND)
    expect(Math.abs(estimate - truth)).toBeLessThan(SECOND)
  })

  it('comes down as a burst is worked off', () => {
    const burst = (second: number) => ({ arrive: second <= 5 ? 200 : 0, leave: 20 })
    const { estimate, truth } = simulate(40, burst)
    expect(truth).toBeGreaterThan(30 * SECOND)
    expect(Math.abs(estimate - truth)).toBeLessThan(SECOND)
    expect(simulate(60, burst).estimate).toBe(0)
  })

  it('grows by the second while nothing is taken', () => {
    expect(simulate(30, (second) => ({ arrive: second === 1 ? 1 : 0, leave: 0 })).estimate).toBeCloseTo(30_000, -3)
  })

  it('reckons with what the rest of the fleet takes', () => {
    const { estimate, truth } = simulate(100, () => ({ arrive: 50, leave: 30 }), 3)
    expect(Math.abs(estimate - truth)).toBeLessThan(SECOND)
  })

  it('is at least the time since the first look for what was there before', () => {
    const age = new QueueAge()
    age.sample(0, 1000, 0, 1)
    age.sample(10 * SECOND, 990, 10, 1)
    expect(age.oldestMs(12 * SECOND)).toBe(12 * SECOND)
  })

  it('stays as good, and small, over six hours', () => {
    const { estimate, truth } = simulate(21_600, () => ({ arrive: 3, leave: 2 }))
    expect(truth).toBeGreaterThan(7_000 * SECOND)
    expect(Math.abs(estimate - truth) / truth).toBeLessThan(0.01)
  })
})
