import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { SettledTags } from '../../../lib/amqp/window/settledTags.js'

describe('settled tags', () => {
  it('cover what has nothing unsettled before it, in whatever order they are settled', () => {
    const tags = Array.from({ length: 12 }, (_, at) => at + 1)
    fc.assert(
      fc.property(fc.shuffledSubarray(tags), (order) => {
        const settled = new SettledTags()
        const known = new Set<number>()
        for (const tag of order) {
          settled.add(tag)
          known.add(tag)
          for (const upTo of tags) {
            const isCovered = tags.every((each) => each > upTo || known.has(each))
            expect([upTo, settled.coversAllUpTo(upTo)]).toEqual([upTo, isCovered])
          }
        }
      }),
    )
  })

  it('take no more room than what is unsettled, however much is settled behind it', () => {
    const settled = new SettledTags()
    const unsettled = [1, 500, 50_000]
    for (let tag = 1; tag <= 100_000; tag++) if (!unsettled.includes(tag)) settled.add(tag)
    expect(settled.runs).toBe(3)
    for (const tag of unsettled) settled.add(tag)
    expect(settled.runs).toBe(0)
    expect(settled.coversAllUpTo(100_000)).toBe(true)
  })
})
