import { describe, expect, it } from '@jest/globals'
import { type Count, hasEnough, isOver, pace } from './count.js'

function counts(...points: ReadonlyArray<readonly [atMs: number, ready: number, cpuMs: number]>): Count[] {
  return points.map(([atMs, ready, cpuMs]) => ({ atMs, ready, cpuMs }))
}

describe('the counts of a drain', () => {
  it('leave out the beginning and the emptied queue', () => {
    const seen = counts([0, 1000, 0], [500, 960, 10], [600, 900, 20], [700, 500, 60], [800, 100, 100], [900, 0, 110])
    // From 900 to 100 in 200 ms, for 80 ms of processor time.
    expect(pace(seen, 1000)).toEqual({ tasksPerSecond: 4000, cpuUs: 100 })
  })

  it('see through steps', () => {
    // A thousand every 100 ms, in one go, seen every 5 ms; the first and the last count are not at the same part of a step.
    const seen = Array.from({ length: 457 }, (_, index): readonly [number, number, number] => {
      const atMs = index * 5
      return [atMs, 30_000 - 1000 * Math.floor(atMs / 100), atMs]
    })
    expect(Math.abs(pace(counts(...seen), 30_000).tasksPerSecond - 10_000)).toBeLessThan(100)
  })

  it('are over when next to nothing is left', () => {
    expect(isOver(counts([0, 1000, 0], [1, 31, 0]), 1000)).toBe(false)
    expect(isOver(counts([0, 1000, 0], [1, 30, 0]), 1000)).toBe(true)
  })

  it('are enough once a twentieth was settled in the measured part', () => {
    expect(hasEnough(counts([0, 1000, 0], [1, 930, 0], [2, 881, 0]), 1000)).toBe(false)
    expect(hasEnough(counts([0, 1000, 0], [1, 930, 0], [2, 880, 0]), 1000)).toBe(true)
  })

  it('say nothing when the backlog was gone between two of them', () => {
    expect(() => pace(counts([0, 1000, 0], [5, 0, 1]), 1000)).toThrow('a backlog of 1000 is too small')
    expect(() => pace(counts([0, 1000, 0], [5, 500, 1], [10, 0, 1]), 1000)).toThrow('too small')
  })
})
