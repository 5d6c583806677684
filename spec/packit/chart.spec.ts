import { describe, expect, it } from '@jest/globals'
import { chart } from './chart.js'

describe('chart', () => {
  it('draws a row for the depth and one for the slots, each up to its own peak', () => {
    const samples = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((step) => ({
      atMs: step * 1000,
      depth: step * 100,
      slots: 8 - step,
    }))
    expect(chart(samples, 9)).toEqual(['depth  ▁▂▃▄▅▆▇█ peak 800', 'slots █▇▆▅▄▃▂▁  peak 8', '      0 s 8.0 s'])
  })

  it("shows a column's peak, and at least the lowest block for what isn't zero", () => {
    const samples = [
      { atMs: 0, depth: 1, slots: 1 },
      { atMs: 100, depth: 1000, slots: 8 },
      { atMs: 200, depth: 0, slots: 8 },
      { atMs: 1000, depth: 1, slots: 8 },
    ]
    expect(chart(samples, 2)).toEqual(['depth █▁ peak 1000', 'slots ██ peak 8', '      0 s1.0 s'])
  })

  it('goes on with the last value where there was no sample', () => {
    const samples = [
      { atMs: 0, depth: 8, slots: 2 },
      { atMs: 10, depth: 4, slots: 1 },
      { atMs: 1000, depth: 0, slots: 2 },
    ]
    expect(chart(samples, 5).slice(0, 2)).toEqual(['depth █▄▄▄  peak 8', 'slots █▄▄▄█ peak 2'])
  })

  it('draws blanks for no samples', () => {
    expect(chart([], 4)).toEqual(['depth      peak 0', 'slots      peak 0', '      0 s0.0 s'])
  })
})
