/** Returns the known name with the fewest changes from this one, if they are few enough: for "did you mean". */
export function nearest(name: string, known: readonly string[]): string | undefined {
  // Nobody misspells a name by doubling its length.
  if (name.length > LONGEST) return undefined
  const [near] = known.map((each) => ({ each, distance: distance(name, each) })).sort((a, b) => a.distance - b.distance)
  return near !== undefined && near.distance <= Math.max(2, name.length / 4) ? near.each : undefined
}

/** Longest name that is compared. */
const LONGEST = 100

/** Levenshtein distance: insertions, deletions and replacements of one character. */
function distance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (let i = 1; i <= from.length; i++) {
    const current = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[to.length] ?? 0
}
