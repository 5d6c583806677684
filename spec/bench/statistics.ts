/** The middle value, or the mean of the two in the middle. @throws RangeError if there is none */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/**
 * The value below which the given fraction of the values lies, interpolated between neighbours.
 * @param fraction between 0 and 1
 * @throws RangeError if there is no value
 */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const place = fraction * (sorted.length - 1)
  const below = sorted[Math.floor(place)]
  const above = sorted[Math.ceil(place)]
  if (below === undefined || above === undefined) throw new RangeError('there are no values')
  return below + (above - below) * (place - Math.floor(place))
}

/** @throws RangeError if there is no value */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('there are no values')
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** What several rounds gave. */
export interface Summary {
  readonly median: number
  readonly lowest: number
  readonly highest: number
  /** In the order in which they were measured. */
  readonly rounds: readonly number[]
}

/** @throws RangeError if there is no round */
export function summarize(rounds: readonly number[]): Summary {
  return { median: median(rounds), lowest: Math.min(...rounds), highest: Math.max(...rounds), rounds }
}

/**
 * The quotients round by round: what slows the machine for a while slows both sides of a round, and mostly cancels out.
 * @throws RangeError if the two sides have different numbers of rounds, or none
 */
export function ratios(over: readonly number[], under: readonly number[]): Summary {
  if (over.length !== under.length) throw new RangeError('the rounds do not pair')
  return summarize(over.map((value, round) => value / (under[round] ?? Number.NaN)))
}
