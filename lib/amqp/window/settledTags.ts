/**
 * The delivery tags of a channel that are settled. They count from 1 in the order of delivery, so that one number tells
 * of most of them. The others are kept as runs: a message may stay unsettled for hours, and a million be settled behind
 * it.
 */
export class SettledTags {
  /** The smallest tag that isn't settled. */
  private lowest = 1
  /** Last tag of each run of settled tags above that one, by its first. */
  private readonly lasts = new Map<number, number>()
  /** The reverse. */
  private readonly firsts = new Map<number, number>()

  /** How many runs are kept: at most one behind each unsettled message. */
  get runs(): number {
    return this.lasts.size
  }

  add(tag: number): void {
    const last = this.lasts.get(tag + 1) ?? tag
    this.lasts.delete(tag + 1)
    this.firsts.delete(last)
    if (tag === this.lowest) {
      this.lowest = last + 1
      return
    }
    const first = this.firsts.get(tag - 1) ?? tag
    this.firsts.delete(tag - 1)
    this.lasts.set(first, last)
    this.firsts.set(last, first)
  }

  /** Whether every message up to that tag is settled, so that one frame can acknowledge what is left of them. */
  coversAllUpTo(tag: number): boolean {
    return tag < this.lowest
  }
}
