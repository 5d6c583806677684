/**
 * The delivery tags of a channel that are settled. They count from 1 in the order of delivery, so that one number tells
 * of most of them.
 */
export class SettledTags {
  /** The smallest tag that isn't settled. */
  private lowest = 1
  /** Settled tags above that one. */
  private readonly above = new Set<number>()

  add(tag: number): void {
    if (tag !== this.lowest) {
      this.above.add(tag)
      return
    }
    do this.lowest++
    while (this.above.delete(this.lowest))
  }

  /** Whether every message up to that tag is settled, so that one frame can acknowledge what is left of them. */
  coversAllUpTo(tag: number): boolean {
    return tag < this.lowest
  }
}
