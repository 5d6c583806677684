import { describe, expect, it } from '@jest/globals'
import { mean, median, quantile, ratios, summarize } from './statistics.js'

describe('statistics', () => {
  it('takes the middle value, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5)
  })

  it('takes the mean of the two in the middle', () => {
    expect(median([4, 1, 10, 2])).toBe(3)
  })

  it('interpolates between neighbours', () => {
    expect(quantile([0, 10, 20, 30, 40], 0.95)).toBeCloseTo(38, 10)
    expect(quantile([7], 0.99)).toBe(7)
  })

  it('leaves the values as they are', () => {
    const values = [3, 1, 2]
    median(values)
    expect(values).toEqual([3, 1, 2])
  })

  it('has nothing to say of no values', () => {
    expect(() => median([])).toThrow(RangeError)
    expect(() => mean([])).toThrow(RangeError)
    expect(() => summarize([])).toThrow(RangeError)
  })

  it('divides round by round before it takes the middle', () => {
    // The middles alone would give 20 / 4 = 5.
    expect(ratios([10, 20, 30], [10, 4, 3])).toEqual({ median: 5, lowest: 1, highest: 10, rounds: [1, 5, 10] })
    expect(ratios([10, 20, 60], [10, 2, 20]).median).toBe(3)
  })

  it('refuses rounds that do not pair', () => {
    expect(() => ratios([1, 2], [1])).toThrow('pair')
  })
})
