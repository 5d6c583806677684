import type { Clock } from '../ports.js'

/** Below this number, the tables that additions leave behind don't matter. */
const FEW = 64

export interface LimitedSetOptions {
  readonly clock: Clock
  /** Members that are kept at most; the oldest is forgotten first. */
  readonly maxSize: number
  /** Milliseconds after which a member is forgotten. */
  readonly expiresMs: number
}

/**
 * Set of texts with the time at which each was added, bounded in number and in age. On average each operation is as fast with
 * many members as with few. Mirrors Celery's `LimitedSet`.
 */
export class LimitedSet {
  /** Ordered by the time at which a member was added or renewed. */
  private members = new Map<string, number>()
  /** A single iterator: a new one would begin by skipping the entries of all members that are gone. */
  private following = this.members.keys()
  /** The member that `following` has reached; all others are still ahead of it. */
  private oldest: string | null = null
  /** Additions and renewals since `following` has moved. */
  private addedBehind = 0

  constructor(private readonly options: LimitedSetOptions) {}

  get size(): number {
    this.forgetOld()
    return this.members.size
  }

  /** Adds a member, or renews an old one. @param at wall-clock milliseconds */
  add(member: string, at: number): void {
    if (member === this.oldest) this.oldest = null
    this.members.delete(member)
    this.members.set(member, at)
    this.addedBehind++
    if (this.members.size > this.options.maxSize) this.forget(this.first())
    if (this.addedBehind > this.members.size + FEW) this.startAgain()
  }

  has(member: string): boolean {
    const at = this.members.get(member)
    return at !== undefined && this.options.clock.now() - at < this.options.expiresMs
  }

  /** Members and their times, the oldest first. */
  entries(): (readonly [member: string, at: number])[] {
    this.forgetOld()
    const { clock, expiresMs } = this.options
    const now = clock.now()
    // Members that another node has announced may be older than the ones added before.
    return [...this.members].filter(([, at]) => now - at < expiresMs)
  }

  private first(): string | null {
    if (this.members.size > 0 && this.oldest === null) {
      this.oldest = this.following.next().value ?? null
      this.addedBehind = 0
    }
    return this.oldest
  }

  /**
   * V8 keeps each table that a map has replaced until the iterators that began on it move or end: `following` may rest
   * for hours while the same members are renewed again and again.
   */
  private startAgain(): void {
    this.members = new Map(this.members)
    this.following = this.members.keys()
    this.oldest = null
    this.addedBehind = 0
  }

  private forget(member: string | null): void {
    if (member !== null) this.members.delete(member)
    this.oldest = null
  }

  private forgetOld(): void {
    const { clock, expiresMs } = this.options
    const now = clock.now()
    for (let first = this.first(); first !== null; first = this.first()) {
      if (now - (this.members.get(first) ?? 0) < expiresMs) return
      this.forget(first)
    }
  }
}
