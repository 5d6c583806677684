import { begin, moves, type World, type WorldOptions } from './world.js'

/** What a search of all histories has found. */
export interface Found {
  /** Different states that were looked at. */
  readonly states: number
  /** What is broken first, and how it comes to that; null if nothing ever is. */
  readonly fault: { readonly what: string; readonly history: readonly string[] } | null
  /** States in which somebody is to hold the lane, messages are left, and nothing goes on without fate. */
  readonly stuck: number
  /** States in which every message has gone. */
  readonly finished: number
}

/** Looks at every state that can be reached, nearest first, so that a fault comes with the shortest history. */
export function search(options: WorldOptions): Found {
  const start = begin(options)
  /** How a state was reached first: from which, and by what. */
  const origin = new Map<string, readonly [from: string, what: string] | null>([[JSON.stringify(start), null]])
  let stuck = 0
  let finished = 0
  let layer: readonly World[] = [start]
  while (layer.length > 0) {
    const next: World[] = []
    for (const world of layer) {
      const from = JSON.stringify(world)
      let goesOn = false
      for (const { fault, isProgress, what, world: after } of moves(world, options)) {
        if (fault !== null)
          return {
            states: origin.size,
            fault: { what: fault, history: historyOf(from, what, origin) },
            stuck,
            finished,
          }
        goesOn ||= isProgress
        const key = JSON.stringify(after)
        if (origin.has(key)) continue
        origin.set(key, [from, what])
        next.push(after)
      }
      const isFinished = world.queue.every((state) => state === 'gone')
      if (isFinished) finished++
      else if (!goesOn && (world.A.holder.wanted || world.B.holder.wanted)) stuck++
    }
    layer = next
  }
  return { states: origin.size, fault: null, stuck, finished }
}

function historyOf(
  state: string,
  last: string,
  origin: ReadonlyMap<string, readonly [from: string, what: string] | null>,
): readonly string[] {
  const history = [last]
  for (let at = origin.get(state); at; at = origin.get(at[0])) history.unshift(at[1])
  return history
}
