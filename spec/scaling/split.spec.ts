import { describe, expect, it } from '@jest/globals'
import { splitSlots } from '../../lib/scaling/split.js'

const NONE = new Map<string, number>()

function split(
  slots: number,
  depths: Record<string, number>,
  previous: Record<string, number> = {},
): Record<string, number> {
  const known = Object.keys(previous).length === 0 ? NONE : new Map(Object.entries(previous))
  return Object.fromEntries(splitSlots(slots, new Map(Object.entries(depths)), known))
}

describe('a split', () => {
  it.each([
    [1, { a: 0 }, { a: 1 }],
    [16, { a: 0 }, { a: 16 }],
    [1, { a: 0, b: 500, c: 0 }, { a: 1, b: 1, c: 1 }],
    [0, { a: 3, b: 0 }, { a: 1, b: 1 }],
    [7, { a: 0, b: 0, c: 0 }, { a: 3, b: 3, c: 3 }],
    [8, { a: 0, b: 0, c: 0 }, { a: 4, b: 3, c: 3 }],
    [11, { a: 9000, b: 1000 }, { a: 10, b: 2 }],
    [11, { a: 1_000_000, b: 0 }, { a: 11, b: 1 }],
    [5, { a: 1, b: 0 }, { a: 4, b: 2 }],
    [5, { a: 4, b: 0 }, { a: 5, b: 1 }],
    [101, { a: 500, b: 300, c: 100 }, { a: 57, b: 34, c: 12 }],
  ])('of %p slots over %j is %j', (slots, depths, expected) => {
    expect(split(slots, depths)).toEqual(expected)
  })

  it('has a consumer for each queue and slots + queues - 1 in all, whatever the depths', () => {
    let seed = 1
    const next = (limit: number): number => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % limit
    }
    for (let round = 0; round < 500; round++) {
      const slots = next(200)
      const depths = Object.fromEntries(
        Array.from({ length: 1 + next(8) }, (_, index) => [`q${index}`, next(10) ** next(6)]),
      )
      const counts = Object.values(split(slots, depths))
      expect(Math.min(...counts)).toBeGreaterThanOrEqual(1)
      expect(counts.reduce((sum, each) => sum + each, 0)).toBe(Math.max(slots, 1) + counts.length - 1)
    }
  })

  it('stays while demands are alike', () => {
    const first = split(16, { a: 3, b: 0 })
    expect(first).toEqual({ a: 10, b: 7 })
    for (const [a, b] of [
      [2, 1],
      [5, 1],
      [4, 3],
    ] as const)
      expect(split(16, { a, b }, first)).toEqual(first)
    expect(split(64, { a: 10_000, b: 9000 }, { a: 33, b: 32 })).toEqual({ a: 33, b: 32 })
  })

  it('shares what nobody demands out evenly, and gives it back to who does', () => {
    expect(split(16, { busy: 6, idle: 0 })).toEqual({ busy: 12, idle: 5 })
    expect(split(16, { busy: 15, idle: 0 })).toEqual({ busy: 16, idle: 1 })
    expect(split(16, { busy: 30, idle: 0 })).toEqual({ busy: 16, idle: 1 })
  })

  it('is the very same object when it stays', () => {
    const previous = new Map([
      ['a', 9],
      ['b', 8],
    ])
    expect(
      splitSlots(
        16,
        new Map([
          ['a', 1],
          ['b', 2],
        ]),
        previous,
      ),
    ).toBe(previous)
  })

  it.each([
    ['one queue is far deeper', 16, { a: 5000, b: 10 }, { a: 9, b: 8 }, { a: 16, b: 1 }],
    ['there are more slots', 32, { a: 0, b: 0 }, { a: 9, b: 8 }, { a: 17, b: 16 }],
    ['there are fewer', 2, { a: 0, b: 0 }, { a: 9, b: 8 }, { a: 2, b: 1 }],
    ['a queue is added', 16, { a: 0, b: 0, c: 0 }, { a: 9, b: 8 }, { a: 6, b: 6, c: 6 }],
    ['a queue is cancelled', 16, { a: 0 }, { a: 9, b: 8 }, { a: 16 }],
    ['a queue is exchanged for another', 16, { a: 0, c: 0 }, { a: 9, b: 8 }, { a: 9, c: 8 }],
  ] as Array<[string, number, Record<string, number>, Record<string, number>, Record<string, number>]>)(
    'changes when %s',
    (_, slots, depths, previous, expected) => {
      expect(split(slots, depths, previous)).toEqual(expected)
    },
  )
})
