import TinyQueue from 'tinyqueue'

/** Queue from which the first item, in an order of its own, can be taken at any time. */
export class PriorityQueue<T> extends TinyQueue<T> {
  /** @param compare negative if `one` comes before `other`; items for which it returns 0 have no defined order */
  constructor(compare: (one: T, other: T) => number, items: T[] = []) {
    super(items, compare)
  }
}
