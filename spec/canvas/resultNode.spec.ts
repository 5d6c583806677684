import { describe, expect, it } from '@jest/globals'
import { groupNode, type ResultNode, shortened, taskNode, tupleOf } from '../../lib/canvas/resultNode.js'
import type { ResultTuple } from '../../lib/protocol/result.js'

/** The last result of a chain of so many tasks after another result. */
function chainOf(name: string, steps: number, first: ResultNode | null = null): ResultNode {
  let last = first
  for (let step = 1; step <= steps; step++) last = { ...taskNode(`${name}-${step}`), parent: last }
  if (last === null) throw new Error('a chain has at least one step')
  return last
}

/** The most parents on the way to any result in a tuple. */
function generationsOf([[, parent], children]: ResultTuple): number {
  return Math.max(parent === null ? 0 : 1 + generationsOf(parent), ...(children ?? []).map(generationsOf))
}

describe('tupleOf', () => {
  it("is Celery's tuple, with all parents", () => {
    const group = groupNode('g', [taskNode('one'), chainOf('two', 2)])
    expect(tupleOf({ ...taskNode('last'), parent: group })).toEqual([
      [
        'last',
        [
          ['g', null],
          [
            [['one', null], null],
            [['two-2', [['two-1', null], null]], null],
          ],
        ],
      ],
      null,
    ])
  })

  it('keeps the nearest parents where it is told how many', () => {
    const tuple = tupleOf(groupNode('g', [chainOf('a', 4)]), 2)
    expect(tuple).toEqual([['g', null], [[['a-4', [['a-3', [['a-2', null], null]], null]], null]]])
  })

  it('counts the parents of a member together with those of its group', () => {
    const inner = groupNode('inner', [chainOf('deep', 50)])
    const outer = groupNode('outer', [chainOf('after', 5, inner)])
    expect(generationsOf(tupleOf(outer))).toBe(54)
    expect(generationsOf(tupleOf(outer, 10))).toBe(10)
    expect(generationsOf(tupleOf(outer, 3))).toBe(3)
  })
})

describe('shortened', () => {
  it('keeps a short result of the right form as it is', () => {
    const tuple = tupleOf({ ...taskNode('last'), parent: groupNode('g', [taskNode('one'), chainOf('two', 2)]) })
    expect(shortened(tuple)).toEqual(tuple)
  })

  it('keeps the nearest parents and members, and no parent of another form', () => {
    const tuple = tupleOf(groupNode('g', [chainOf('a', 4)]))
    expect(shortened(tuple, 2)).toEqual([['g', null], [[['a-4', [['a-3', null], null]], null]]])
    expect(
      shortened([
        ['g', null],
        [
          [['m', 5 as never], null],
          [['n', [[7], []] as never], undefined as never],
        ],
      ]),
    ).toEqual([
      ['g', null],
      [
        [['m', null], null],
        [['n', null], null],
      ],
    ])
    expect(generationsOf(shortened(tupleOf(chainOf('a', 5000))))).toBe(100)
  })
})
