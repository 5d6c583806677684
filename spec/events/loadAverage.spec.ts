import { describe, expect, it } from '@jest/globals'
import { loadAverage } from '../../lib/events/loadAverage.js'

describe('the load average', () => {
  it('is rounded up to two decimals', () => {
    expect(loadAverage([0.081, 0.25, 1])).toEqual([0.09, 0.25, 1])
  })

  it("is the system's own, over three times", () => {
    expect(loadAverage()).toHaveLength(3)
  })
})
