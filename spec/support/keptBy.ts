import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void

/**
 * The most bytes that stay in memory, between two full collections, of values of which a hundred are kept at a time.
 * @param add keeps a value, and returns what ends that
 */
export function keptBy(add: (value: object) => () => void): number {
  const ends: (() => void)[] = []
  collect()
  const before = process.memoryUsage().heapUsed
  let most = 0
  // Old garbage keeps in memory what it leads to, although that is young.
  const endOldest = add({})
  for (let at = 0; at < 20_000; at++) {
    ends.push(add(new Array<number>(100).fill(0.5)))
    if (ends.length > 100) ends.shift()?.()
    if (at % 500 > 0) continue
    collect({ type: 'minor' })
    if (at === 1500) endOldest()
    most = Math.max(most, process.memoryUsage().heapUsed - before)
  }
  return most
}

/** What stays of them with a Set: each table that V8 has replaced leads to all that was in it, and to the next table. */
export function keptBySet(): number {
  const set = new Set<object>()
  return keptBy((value) => {
    set.add(value)
    return () => set.delete(value)
  })
}
