import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { LinkedList, type ListNode } from '../../lib/containers/linkedList.js'
import { keptBy, keptBySet } from '../support/keptBy.js'

describe('a linked list', () => {
  it('has what a Set would have, in the same order', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(20)), { maxLength: 60 }), (steps) => {
        const list = new LinkedList<number>()
        const set = new Set<number>()
        const nodes: ListNode<number>[] = []
        steps.forEach((removed, value) => {
          if (removed === null) {
            nodes.push(list.add(value))
            set.add(value)
          }
          const node = nodes[removed ?? -1]
          // Its value is gone with it.
          const had = node?.value ?? -1
          if (node) expect(list.remove(node)).toBe(set.delete(had))
          expect([...list]).toEqual([...set])
          expect(list.size).toBe(set.size)
        })
      }),
    )
  })

  it('passes over what leaves while it is gone through', () => {
    const list = new LinkedList<number>()
    const nodes = [0, 1, 2, 3].map((value) => list.add(value))
    const seen: number[] = []
    for (const value of list) {
      seen.push(value)
      for (const node of nodes.slice(value, value + 2)) list.remove(node)
    }
    expect(seen).toEqual([0, 2])
    expect(list.size).toBe(0)
  })

  it('keeps nothing of what has passed through, unlike a Set', () => {
    const list = new LinkedList<object>()
    const byList = keptBy((value) => {
      const node = list.add(value)
      return () => list.remove(node)
    })
    expect(byList).toBeLessThan(keptBySet() / 4)
  })
})
