import { describe, expect, it } from '@jest/globals'
import { LamportClock } from '../../lib/protocol/lamport.js'
import { seeClock } from '../../lib/protocol/seenClock.js'

describe('a clock that was seen on another node', () => {
  it('moves ours past it', () => {
    const lamport = new LamportClock()
    seeClock(lamport, 41)
    expect(lamport.value).toBe(42)
  })

  it.each([
    undefined,
    null,
    '7',
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 40 + 1,
    2 ** 50,
    2 ** 52,
    10n,
    {},
  ])('changes nothing when it is %p', (seen) => {
    const lamport = new LamportClock()
    seeClock(lamport, seen)
    expect(lamport.value).toBe(0)
  })
})
