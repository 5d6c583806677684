import type { Clock } from '../ports.js'

export interface LimitedSetOptions {
  readonly clock: Clock
  /** Members that are kept at most; the oldest is forgotten first. */
  readonly maxSize: number
  /** Milliseconds after which a member is forgotten. */
  readonly expiresMs: number
}

/**
 * Set of texts with the time at which each was added, bounded in number and in age. Each operation is as fast with many
 * members as with few. Mirrors Celery's `LimitedSet`.
 */
export class LimitedSet {
  /** Ordered by the time at which a member was added or renewed. */
  private readonly members = new Map<string, number>()
  /** A single iterator: a new one would begin by skipping the entries of all members that are gone. */
  private readonly following = this.members.keys()
  /** The member that `following` has reached; all others are still ahead of it. */
  private oldest: string | null = null

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
    if (this.members.size > this.options.maxSize) this.forget(this.first())
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
    if (this.members.size > 0) this.oldest ??= this.following.next().value ?? null
    return this.oldest
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
