import TinyQueue from 'tinyqueue'

/** Items of which the first can be taken at any time. */
export class PriorityQueue<T> extends TinyQueue<T> {
  /** @param compare below zero if `one` comes before `other`; where it gives 0 the order means nothing */
  constructor(compare: (one: T, other: T) => number, items: T[] = []) {
    super(items, compare)
  }
}
