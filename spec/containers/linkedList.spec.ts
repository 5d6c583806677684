import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { LinkedList, type ListNode } from '../../lib/containers/linkedList.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void

/**
 * The most bytes that stay in memory, between two full collections, of values of which a hundred are kept at a time.
 * @param add keeps a value, and returns what ends that
 */
function keptBy(add: (value: object) => () => void): number {
  const ends: (() => void)[] = []
  collect()
  const before = process.memoryUsage().heapUsed
  let most = 0
  for (let at = 0; at < 20_000; at++) {
    ends.push(add(new Array<number>(100).fill(0.5)))
    if (ends.length > 100) ends.shift()?.()
    if (at % 500 > 0) continue
    collect({ type: 'minor' })
    most = Math.max(most, process.memoryUsage().heapUsed - before)
  }
  return most
}

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
    const set = new Set<object>()
    const list = new LinkedList<object>()
    const bySet = keptBy((value) => {
      set.add(value)
      return () => set.delete(value)
    })
    const byList = keptBy((value) => {
      const node = list.add(value)
      return () => list.remove(node)
    })
    expect(byList).toBeLessThan(bySet / 4)
  })
})
