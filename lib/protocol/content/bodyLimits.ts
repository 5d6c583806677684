import { BadMessage } from '../badMessage.js'

/** What a body may hold; looked at before it is parsed. */
export interface BodyLimits {
  /** Levels of lists and mappings. */
  readonly maxNesting: number
  /** Lists, mappings and the keys of mappings, all counted; a million unless given. */
  readonly maxItems?: number | undefined
}

/** More than any honest message holds, and read within a second or two. */
export const MOST_ITEMS = 1_000_000

/** Counts what a scan comes upon, and ends it as soon as there is too much of it. */
export class BodyCount {
  private readonly maxItems: number
  private items = 0

  constructor(private readonly limits: BodyLimits) {
    this.maxItems = limits.maxItems ?? MOST_ITEMS
  }

  /** @throws BadMessage */
  add(items: number): void {
    this.items += items
    if (this.items > this.maxItems) {
      throw new BadMessage(
        'too-many-items',
        `the body has more lists, mappings and keys than the ${this.maxItems} of worker_max_message_items`,
      )
    }
  }

  /** @param nesting levels that are open @throws BadMessage */
  nest(nesting: number): void {
    if (nesting > this.limits.maxNesting) {
      throw new BadMessage(
        'too-deep',
        `the body is nested deeper than the ${this.limits.maxNesting} of worker_max_message_nesting`,
      )
    }
  }
}
