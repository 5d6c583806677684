import { describe, expect, it } from '@jest/globals'
import { withLimits } from '../../lib/trace/limits.js'
import type { Outcome } from '../../lib/trace/outcome.js'
import { FakeClock } from '../support/fakeClock.js'

const SUCCESS: Outcome = { state: 'SUCCESS', result: 1, runtimeMs: 0 }

/** A run under limits that ends when it is told to. */
function limited(softMs: number | null, hardMs: number | null) {
  const clock = new FakeClock()
  const seen: unknown[] = []
  let end: (outcome: Outcome) => void = () => undefined
  const running = new Promise<Outcome>((resolve) => {
    end = resolve
  })
  const outcome = withLimits(() => running, {
    softMs,
    hardMs,
    clock,
    abort: (reason) => seen.push(reason),
    onSoft: () => seen.push('soft'),
    onHard: () => seen.push('hard'),
    onStray: (by) => seen.push(by),
  })
  return { clock, seen, end, running, outcome }
}

describe('withLimits', () => {
  it('is the run itself where there is no limit', () => {
    const { clock, outcome, running } = limited(null, null)
    expect(outcome).toBe(running)
    expect(clock.pending).toBe(0)
  })

  it('leaves a run alone that ends in time, and no timer behind', async () => {
    const { clock, end, outcome, seen } = limited(1000, 2000)
    clock.advance(999)
    end(SUCCESS)
    expect(await outcome).toBe(SUCCESS)
    expect(clock.pending).toBe(0)
    expect(seen).toEqual([])
  })

  it('aborts at the soft limit, and takes the outcome that the run makes of it', async () => {
    const { clock, end, outcome, seen } = limited(1000, 2000)
    clock.advance(1000)
    expect(seen).toEqual(['soft', expect.objectContaining({ name: 'SoftTimeLimitExceeded', args: [1] })])
    end(SUCCESS)
    expect(await outcome).toBe(SUCCESS)
    expect(clock.pending).toBe(0)
  })

  it('fails at the hard limit there and then, and counts the stray until it ends', async () => {
    const { clock, end, outcome, running, seen } = limited(1000, 1500)
    clock.advance(1500)
    expect(await outcome).toMatchObject({
      state: 'FAILURE',
      kind: 'timeout',
      error: { name: 'TimeLimitExceeded', excModule: 'billiard.exceptions', args: [1.5] },
      runtimeMs: 1500,
    })
    expect(seen.slice(2)).toEqual(['hard', 1, expect.objectContaining({ name: 'TimeLimitExceeded' })])
    end(SUCCESS)
    await running
    expect(seen.slice(5)).toEqual([-1])
  })

  it('knows no soft limit that is not before the hard one', () => {
    const { clock, seen } = limited(2000, 1000)
    clock.advance(5000)
    expect(seen).toEqual(['hard', 1, expect.objectContaining({ name: 'TimeLimitExceeded' })])
  })
})
