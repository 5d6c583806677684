import { ratios, type Summary, summarize } from './statistics.js'

/** One of those that are compared, and how it is measured once. */
export interface Entrant<Quantity extends string> {
  readonly name: string
  measure(): Promise<Readonly<Record<Quantity, number>>>
}

/** What all rounds gave. */
export interface Rounds<Quantity extends string> {
  /** @throws RangeError if nobody has that name */
  of(name: string, quantity: Quantity): Summary
  /** Round by round, `over` divided by `under`. */
  ratio(over: string, under: string, quantity: Quantity): Summary
}

/**
 * Measures all entrants in each round, one after the other, and turns the order round every time, so that neither a drift of the
 * machine nor what the one before leaves behind favours anybody.
 */
export async function alternate<Quantity extends string>(
  entrants: readonly Entrant<Quantity>[],
  rounds: number,
): Promise<Rounds<Quantity>> {
  const measured = new Map(entrants.map(({ name }) => [name, [] as Array<Readonly<Record<Quantity, number>>>]))
  for (let round = 0; round < rounds; round++) {
    for (const { name, measure } of round % 2 === 0 ? entrants : entrants.toReversed()) {
      measured.get(name)?.push(await measure())
    }
  }
  const values = (name: string, quantity: Quantity): number[] =>
    (measured.get(name) ?? []).map((values) => values[quantity])
  return {
    of: (name, quantity) => summarize(values(name, quantity)),
    ratio: (over, under, quantity) => ratios(values(over, quantity), values(under, quantity)),
  }
}
