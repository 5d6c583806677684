/** Items of which the first, as `compare` has it, can be taken at any time: a binary heap. */
export class Heap<T> {
  private readonly items: T[] = []

  /** @param compare below zero if `one` comes before `other`; no two may be equal if their order means something */
  constructor(private readonly compare: (one: T, other: T) => number) {}

  get size(): number {
    return this.items.length
  }

  /** The first item; undefined if there is none. */
  get first(): T | undefined {
    return this.items[0]
  }

  add(item: T): void {
    this.items.push(item)
    this.rise(this.items.length - 1, item)
  }

  /** Takes the first item out; undefined if there is none. */
  take(): T | undefined {
    const { first } = this
    const last = this.items.pop()
    if (last !== undefined && this.items.length > 0) this.sink(0, last)
    return first
  }

  /** Lets go of the items that aren't wanted any more. */
  keepOnly(isWanted: (item: T) => boolean): void {
    const wanted = this.items.filter(isWanted)
    this.items.length = 0
    for (const item of wanted) this.add(item)
  }

  private rise(from: number, item: T): void {
    let at = from
    while (at > 0) {
      const above = (at - 1) >> 1
      const other = this.items[above] as T
      if (this.compare(item, other) >= 0) break
      this.items[at] = other
      at = above
    }
    this.items[at] = item
  }

  private sink(from: number, item: T): void {
    const { items } = this
    let at = from
    for (let below = 2 * at + 1; below < items.length; below = 2 * at + 1) {
      const right = below + 1
      if (right < items.length && this.compare(items[right] as T, items[below] as T) < 0) below = right
      const other = items[below] as T
      if (this.compare(other, item) >= 0) break
      items[at] = other
      at = below
    }
    items[at] = item
  }
}
