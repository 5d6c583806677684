import { describe, expect, it } from '@jest/globals'
import { Lanes, type Occupant } from '../../lib/request/lanes.js'
import { keptBy, keptBySet } from '../support/keptBy.js'

interface Holder extends Occupant<Holder> {
  readonly value: object
}

describe('a lane', () => {
  it.each([
    ['of a key', ['k']],
    ['of keys within a key', ['k', 'k/a', 'k/b']],
  ])('%s keeps nothing of what has passed through', (_what, keys) => {
    const lanes = new Lanes<Holder>()
    let sequence = 0
    const byLane = keptBy((value) => {
      const holder: Holder = { value, delivery: { sequence: sequence++ }, place: null }
      lanes.enter(keys[sequence % keys.length] ?? '', holder)
      return () => void lanes.leave(holder)
    })
    expect(lanes.size).toBeGreaterThan(0)
    expect(byLane).toBeLessThan(keptBySet() / 4)
  })
})
