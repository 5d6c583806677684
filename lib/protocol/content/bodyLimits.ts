import { BadMessage } from '../badMessage.js'

/** Limits for a body: of items, checked before it is parsed, and of nesting, before anything recurses into it. */
export interface BodyLimits {
  /** Levels of lists and mappings. */
  readonly maxNesting: number
  /** Lists, mappings and keys of mappings, added up. Default: a million. */
  readonly maxItems?: number | undefined
}

/** More than any honest message contains; parsed within a second or two. */
export const MOST_ITEMS = 1_000_000

/** Counts what a scan finds, and stops it as soon as there is too much. */
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

  /** @param nesting number of open levels @throws BadMessage */
  nest(nesting: number): void {
    if (nesting > this.limits.maxNesting) {
      throw new BadMessage(
        'too-deep',
        `the body is nested deeper than the ${this.limits.maxNesting} of worker_max_message_nesting`,
      )
    }
  }
}
