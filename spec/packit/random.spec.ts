import { describe, expect, it } from '@jest/globals'
import { Random } from './random.js'

const draws = (random: Random, count: number): number[] => Array.from({ length: count }, () => random.next())

describe('Random', () => {
  it('draws the same numbers for the same seed, on every machine', () => {
    expect(draws(new Random(7), 100)).toEqual(draws(new Random(7), 100))
    expect(draws(new Random(7), 100)).not.toEqual(draws(new Random(8), 100))
    // From `printf 7:0 | sha256sum`: the first six bytes, as a fraction.
    expect(new Random(7).next()).toBe(0xf5ff61d7b533 / 2 ** 48)
  })

  it('spreads them evenly in [0, 1)', () => {
    const numbers = draws(new Random(1), 10_000)
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...numbers)).toBeLessThan(1)
    for (let tenth = 0; tenth < 10; tenth++) {
      const share = numbers.filter((number) => Math.floor(number * 10) === tenth).length / numbers.length
      expect(share).toBeCloseTo(0.1, 1)
    }
  })

  it('draws half of the log-normal values below the median', () => {
    const random = new Random(2)
    const values = Array.from({ length: 4000 }, () => random.lognormal(1500, 0.7))
    expect(values.filter((value) => value < 1500).length / values.length).toBeCloseTo(0.5, 1)
    expect(Math.min(...values)).toBeGreaterThan(0)
  })

  it('samples different items', () => {
    const drawn = new Random(3).sample(['a', 'b', 'c', 'd', 'e'], 3)
    expect(new Set(drawn).size).toBe(3)
    expect(new Random(3).sample(['a', 'b'], 5).sort()).toEqual(['a', 'b'])
  })

  it('makes version 4 UUIDs', () => {
    const random = new Random(4)
    const ids = Array.from({ length: 200 }, () => random.uuid())
    expect(new Set(ids).size).toBe(200)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })
})
