/** Times that the larger input is measured; the least counts, since whatever disturbs a measurement makes it longer. */
const TRIES = 3
/** Rounds at most: collecting garbage counts as processor time, too, and may fall into every try of one. */
const ROUNDS = 3
/** Growth that needs no further round. */
const LINEAR = 2
/** Milliseconds below which a measurement says little. */
const FINEST = 2

/**
 * How much faster than its input the work of `run` grows: about 1 for linear work, about `factor` for quadratic. Counts processor
 * time, which other programs of a busy machine take nothing from.
 * @param inputOf an input of that size
 */
export function growthOf<T>(
  run: (input: T) => unknown,
  inputOf: (size: number) => T,
  size: number,
  factor = 8,
): number {
  const small = inputOf(size)
  const large = inputOf(size * factor)
  // Once for the compiler.
  run(small)
  let growth = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS && growth > LINEAR; round++) {
    const first = leastOf(run, small)
    growth = Math.min(growth, leastOf(run, large) / (Math.max(first, FINEST) * factor))
  }
  return growth
}

/** Milliseconds of processor time that `run` takes. */
export function costOf(run: () => unknown): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

function leastOf<T>(run: (input: T) => unknown, input: T): number {
  return Math.min(...Array.from({ length: TRIES }, () => costOf(() => run(input))))
}
