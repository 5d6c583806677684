/** A value's place in a list, by which it is removed. */
export interface ListNode<T> {
  value: T | null
  previous: ListNode<T> | null
  next: ListNode<T> | null
}

/**
 * Values in the order in which they were added, each until it is removed. For what everything passes through, instead of
 * a `Set`: each time V8 makes room in one it leaves a table behind that leads to all that was in it, and to the next
 * table. Once such a table is old, all later ones, and what they lead to, stay in memory until the next full collection.
 */
export class LinkedList<T extends NonNullable<unknown>> implements Iterable<T> {
  private first: ListNode<T> | null = null
  private last: ListNode<T> | null = null
  private count = 0

  get size(): number {
    return this.count
  }

  /** The one that was added first; null if there is none. */
  get oldest(): ListNode<T> | null {
    return this.first
  }

  add(value: T): ListNode<T> {
    const node: ListNode<T> = { value, previous: this.last, next: null }
    if (this.last) this.last.next = node
    else this.first = node
    this.last = node
    this.count++
    return node
  }

  /** @returns whether the node was in the list, and not removed before */
  remove(node: ListNode<T>): boolean {
    if (node.value === null) return false
    const { next, previous } = node
    if (previous) previous.next = next
    else this.first = next
    if (next) next.previous = previous
    else this.last = previous
    // An old node would keep young ones in memory.
    node.value = null
    node.previous = null
    node.next = null
    this.count--
    return true
  }

  /** The values that are here when it begins, without those that have been removed meanwhile. */
  *[Symbol.iterator](): Iterator<T> {
    const nodes: ListNode<T>[] = []
    for (let node = this.first; node; node = node.next) nodes.push(node)
    for (const { value } of nodes) if (value !== null) yield value
  }
}
