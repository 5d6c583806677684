/** Counts of values by size, as Prometheus has them; a plain array, since each task is counted in two of these. */
export class Histogram {
  /** Values up to each bound, not added up; the last is what exceeds them all. */
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

  /** Each bound with the number of values up to it, infinity last. */
  *cumulative(): Iterable<readonly [bound: number, count: number]> {
    let total = 0
    for (const [at, count] of this.counts.entries()) {
      total += count
      yield [this.bounds[at] ?? Number.POSITIVE_INFINITY, total]
    }
  }
}
