/** Counts of values by size, as Prometheus has them; a plain array, since each task is counted in two of these. */
export class Histogram {
  /** Number of values up to each bound, not cumulative; the last counts those above all bounds. */
  readonly counts: number[]
  sum = 0
  count = 0

  constructor(
    /** Upper bounds in rising order, without infinity. */
    readonly bounds: readonly number[],
  ) {
    this.counts = new Array<number>(bounds.length + 1).fill(0)
  }

  observe(value: number): void {
    let at = 0
    for (const bound of this.bounds) {
      if (value <= bound) break
      at++
    }
    this.counts[at] = (this.counts[at] ?? 0) + 1
    this.sum += value
    this.count++
  }

  /** Adds the values of another histogram with the same bounds. */
  add(other: Histogram): void {
    for (const [at, count] of other.counts.entries()) this.counts[at] = (this.counts[at] ?? 0) + count
    this.sum += other.sum
    this.count += other.count
  }

  /**
   * Returns the value that this fraction of the values doesn't exceed, estimated as Prometheus's `histogram_quantile`
   * does: values are assumed to be evenly spread between the bounds, and above all bounds the last one is returned.
   * Null without values.
   */
  quantile(part: number): number | null {
    if (this.count === 0) return null
    const rank = part * this.count
    let below = 0
    for (const [at, bound] of this.bounds.entries()) {
      const count = this.counts[at] ?? 0
      const from = this.bounds[at - 1] ?? 0
      if (count > 0 && below + count >= rank) return from + ((bound - from) * (rank - below)) / count
      below += count
    }
    return this.bounds.at(-1) ?? null
  }

  /** Yields each bound with the number of values up to it, infinity last. */
  *cumulative(): Iterable<readonly [bound: number, count: number]> {
    let total = 0
    for (const [at, count] of this.counts.entries()) {
      total += count
      yield [this.bounds[at] ?? Number.POSITIVE_INFINITY, total]
    }
  }
}
