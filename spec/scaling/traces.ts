import type { Arrival } from './scenario.js'

/** Arrivals at random (Poisson) at a rate that may change with time. */
export interface Load {
  /** Messages a second at a time in milliseconds. */
  readonly rate: (ms: number) => number
  /** No rate is above it. */
  readonly peakRate: number
  readonly fromMs?: number
  readonly untilMs: number
  readonly serviceMs: (ms: number, random: () => number) => number
  readonly queue?: string
}

/** The same numbers between 0 and 1 for the same seed: a linear congruential generator with the constants of Numerical Recipes. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Messages that all come at once. */
export function burst(count: number, serviceMs: number, at = 0, queue = 'q'): Arrival[] {
  return Array.from({ length: count }, () => ({ at, queue, serviceMs }))
}

export function poisson(load: Load, seed: number): Arrival[] {
  const random = seeded(seed)
  const arrivals: Arrival[] = []
  const step = (): number => (-Math.log(1 - random()) * 1000) / load.peakRate
  for (let at = (load.fromMs ?? 0) + step(); at < load.untilMs; at += step()) {
    // Thinning: a candidate at the peak rate is kept as often as the rate of its moment says.
    if (random() * load.peakRate > load.rate(at)) continue
    arrivals.push({ at, queue: load.queue ?? 'q', serviceMs: load.serviceMs(at, random) })
  }
  return arrivals
}
