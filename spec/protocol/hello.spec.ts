import { describe, expect, it } from '@jest/globals'
import { decodeRevoked, encodeRevoked } from '../../lib/protocol/hello.js'

describe('the revoked ids of a hello', () => {
  it('are written with times that Python reads as floats, whole seconds too', () => {
    const text = JSON.stringify(
      encodeRevoked(
        [
          { id: 'whole', ageMs: 0 },
          { id: 'half', ageMs: 500 },
          { id: 'before the machine was started', ageMs: 2_000_000 },
        ],
        1283,
      ).revoked,
    )
    expect(text).toBe(
      '{"whole":[1283.000001,"whole"],"half":[1282.5,"half"],' +
        '"before the machine was started":[-716.999999,"before the machine was started"]}',
    )
  })

  it('come back with their ages, oldest first, to the microsecond', () => {
    const sent = encodeRevoked(
      [
        { id: 'young', ageMs: 1000 },
        { id: 'old', ageMs: 60_000 },
      ],
      5000.25,
    )
    expect(decodeRevoked({ ...sent })).toEqual([
      { id: 'old', ageMs: 60_000 },
      { id: 'young', ageMs: 1000 },
    ])
  })

  it('are read in both forms that Python uses, and are new where the clock of the sender is not known', () => {
    expect(decodeRevoked({ revoked: { a: [1283.700406679, 'a'], b: 1283.7 } })).toEqual([
      { id: 'a', ageMs: 0 },
      { id: 'b', ageMs: 0 },
    ])
  })

  it('are new in a list of ids', () => {
    expect(decodeRevoked({ revoked: ['a', 'b', '', 7, null], monotonic: 10 })).toEqual([
      { id: 'a', ageMs: 0 },
      { id: 'b', ageMs: 0 },
    ])
  })

  it('are never from the future', () => {
    expect(decodeRevoked({ revoked: { a: [20.5, 'a'] }, monotonic: 10 })).toEqual([{ id: 'a', ageMs: 0 }])
  })

  it.each([
    ['nothing', {}],
    ['null', { revoked: null }],
    ['a list of pairs', { revoked: [['a', 1.5]] }],
    ['a text', { revoked: 'a' }],
    ['times that are none', { revoked: { a: null, b: 'x', c: [], d: ['x', 'd'], e: {}, f: true } }],
    ['an empty id', { revoked: { '': 1.5 } }],
  ])('are left out of %s', (_what, hello) => {
    expect(decodeRevoked(hello)).toEqual([])
  })
})
