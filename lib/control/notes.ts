import type { Clock } from '../ports.js'

/** Samples that are kept at most: taking them without ever asking must not fill the memory. */
const MOST_SAMPLES = 10_000

/** What remote control commands remember from one call to the next. Times are monotonic milliseconds. */
export class Notes {
  readonly startedAt: number
  /** When the last heap snapshot was written. */
  snapshotAt = Number.NEGATIVE_INFINITY
  private samples: string[] = []

  constructor(clock: Clock) {
    this.startedAt = clock.monotonic()
  }

  /** Stores a sample of the resident memory. */
  keep(sample: string): void {
    this.samples = [...this.samples.slice(1 - MOST_SAMPLES), sample]
  }

  /** Returns the samples since the last call, oldest first, and forgets them. */
  takeSamples(): readonly string[] {
    const { samples } = this
    this.samples = []
    return samples
  }
}
