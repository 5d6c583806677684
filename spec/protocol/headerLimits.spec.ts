import { describe, expect, it } from '@jest/globals'
import { BadMessage } from '../../lib/protocol/badMessage.js'
import { checkHeaders, type HeaderLimits } from '../../lib/protocol/headerLimits.js'

function reasonOf(headers: Record<string, unknown>, limits: HeaderLimits): string {
  try {
    checkHeaders(headers, limits)
  } catch (thrown) {
    if (thrown instanceof BadMessage) return thrown.reason
    throw thrown
  }
  return 'none'
}

const many = (length: number): Record<string, unknown> =>
  Object.fromEntries(Array.from({ length }, (_, n) => [`h${n}`, n]))

const nested = (depth: number): Record<string, unknown> =>
  Array.from({ length: depth - 1 }).reduce<Record<string, unknown>>((inner) => ({ inner }), { x: 1 })

describe('the limits of headers', () => {
  it('count them, the last one allowed included', () => {
    expect(reasonOf(many(10), { maxHeaders: 10, maxNesting: 5 })).toBe('none')
    expect(reasonOf(many(11), { maxHeaders: 10, maxNesting: 5 })).toBe('too-many-headers')
  })

  it('count what is in tables and lists as well', () => {
    const death = { queue: 'q', reason: 'rejected', 'routing-keys': ['a', 'b'] }
    // x-death, its one entry, the three of that, and the two routing keys.
    expect(reasonOf({ 'x-death': [death] }, { maxHeaders: 7, maxNesting: 5 })).toBe('none')
    expect(reasonOf({ 'x-death': [death] }, { maxHeaders: 6, maxNesting: 5 })).toBe('too-many-headers')
  })

  it('take bytes for one value, however many they are', () => {
    expect(reasonOf({ bytes: Buffer.alloc(5000) }, { maxHeaders: 1, maxNesting: 1 })).toBe('none')
  })

  it('look at the depth', () => {
    expect(reasonOf(nested(5), { maxNesting: 5 })).toBe('none')
    expect(reasonOf(nested(6), { maxNesting: 5 })).toBe('too-deep')
    expect(reasonOf(nested(5000), { maxNesting: 5 })).toBe('too-deep')
  })
})
