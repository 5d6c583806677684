import type { Stand } from './stand.js'
import type { Summary } from './statistics.js'

/** What was measured of one entrant. */
export interface Row extends Summary {
  readonly entrant: string
  /** Such as "tasks/s", "ms", "MB". */
  readonly unit: string
  readonly note?: string
}

/** What a figure has to be. */
export type Target = { readonly atLeast: number } | { readonly atMost: number }

/** A figure that has a target. */
export interface Figure extends Summary {
  readonly what: string
  /** The same in few words that stand by themselves, for the picture. */
  readonly label: string
  /** "x" for a ratio. */
  readonly unit: string
  readonly target: Target
}

/** What one case found. */
export interface Findings {
  readonly rows: readonly Row[]
  readonly figures: readonly Figure[]
  /** What the numbers alone don't say. */
  readonly note?: string
}

/** One line of the table. */
export interface Case {
  /** For `--only`. */
  readonly name: string
  readonly title: string
  /** Left out of a quick run, unless it is asked for: a spec does the same with the package, and takes as long. */
  readonly slow?: true
  run(stand: Stand): Promise<Findings>
}

/** How well a figure does: 1 is just enough, 2 twice as good as needed. Only for targets other than 0. */
export function margin({ median, target }: Pick<Figure, 'median' | 'target'>): number {
  return 'atLeast' in target ? median / target.atLeast : target.atMost / median
}

export function isReached({ median, target }: Pick<Figure, 'median' | 'target'>): boolean {
  return 'atLeast' in target ? median >= target.atLeast : median <= target.atMost
}
