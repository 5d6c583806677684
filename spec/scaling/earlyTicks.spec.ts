import { describe, expect, it } from '@jest/globals'
import { EarlyTicks } from '../../lib/scaling/earlyTicks.js'

describe('early ticks', () => {
  it('are put off when more than one came in vain, up to a tenth of a second', () => {
    const early = new EarlyTicks()
    const distances = [early.distanceMs]
    for (let tick = 0; tick < 6; tick++) {
      early.came(false)
      distances.push(early.distanceMs)
    }
    expect(distances).toEqual([10, 10, 25, 50, 100, 100, 100])
  })

  it('come soon again after one that opened slots, and sooner after a rest', () => {
    const early = new EarlyTicks()
    for (let tick = 0; tick < 6; tick++) early.came(false)
    early.came(true)
    expect(early.distanceMs).toBe(25)
    early.rested()
    expect(early.distanceMs).toBe(10)
  })
})
