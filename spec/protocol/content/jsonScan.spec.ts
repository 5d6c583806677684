import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { loads } from '../../../lib/protocol/content/content.js'
import { checkJson } from '../../../lib/protocol/content/jsonScan.js'

/** Of any length around the one from which on a string is searched, and full of what could be taken for its end. */
const text = fc
  .array(fc.constantFrom('"', '\\', '\\\\', '{', '[', ':', ']', 'é', 'x'.repeat(7), 'x'.repeat(63), '\u0001'), {
    maxLength: 60,
  })
  .map((parts) => parts.join(''))
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 6 }, text, fc.double(), fc.boolean(), tie('list'), tie('mapping')),
  list: fc.array(tie('value'), { maxLength: 5 }),
  mapping: fc.dictionary(text, tie('value'), { maxKeys: 5 }),
}))

/** Lists, mappings and keys. */
function itemsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const own = Array.isArray(value) ? 1 : 1 + Object.keys(value).length
  return Object.values(value).reduce((sum: number, each) => sum + itemsOf(each), own)
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

/** @returns why the scan refuses a text, or null */
function refusal(json: string, maxNesting: number, maxItems: number): string | null {
  return reasonOf(() => checkJson(Buffer.from(json), { maxNesting, maxItems }))
}

/** @returns why a body is refused, or null */
function refusalOfBody(json: string, maxNesting: number, maxItems?: number): string | null {
  const limits = { accept: ['json'], maxSize: Number.POSITIVE_INFINITY, maxNesting, maxItems }
  return reasonOf(() => loads(Buffer.from(json), { contentType: 'application/json' }, limits))
}

function reasonOf(act: () => unknown): string | null {
  try {
    act()
    return null
  } catch (thrown) {
    return (thrown as { reason: string }).reason
  }
}

describe('the scan of a JSON text', () => {
  it('counts what is outside of strings, whatever is in them', () => {
    fc.assert(
      fc.property(value, (value) => {
        // The padding makes the text longer than any limit here: it has to be scanned.
        const json = JSON.stringify(value) + ' '.repeat(200)
        const items = itemsOf(value)
        const depth = depthOf(value)
        expect(refusal(json, depth, items)).toBe(null)
        if (items > 0) expect(refusal(json, depth, items - 1)).toBe('too-many-items')
        if (depth > 0) expect(refusal(json, depth - 1, items)).toBe('too-deep')
      }),
      { numRuns: 1000 },
    )
  })

  it('finds as much as the parse does, of a body that is small enough not to be scanned', () => {
    const numbers = fc.constantFrom('1', '12345678901234567890', 'NaN')
    fc.assert(
      fc.property(value, numbers, (value, number) => {
        const json = `[${number},${JSON.stringify(value)}]`
        const depth = 1 + depthOf(value)
        const items = 1 + itemsOf(value)
        for (const maxItems of [undefined, items]) {
          expect(refusalOfBody(json, depth, maxItems)).toBe(null)
          expect(refusalOfBody(json, depth - 1, maxItems)).toBe('too-deep')
        }
        expect(refusalOfBody(json, depth, items - 1)).toBe('too-many-items')
      }),
      { numRuns: 1000 },
    )
  })

  it('ends with the text, where a string has no end', () => {
    fc.assert(
      fc.property(text, fc.constantFrom('', '\\', '\\\\\\'), (text, end) => {
        const open = `[${JSON.stringify(text).slice(0, -1)}${end}`
        expect(refusal(open, 1, 1)).toBe(null)
        expect(refusal(`${' '.repeat(9)}[${open}`, 1, 2)).toBe('too-deep')
      }),
    )
  })
})
