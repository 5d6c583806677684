import type { Clock } from '../ports.js'

export interface LimitedSetOptions {
  readonly clock: Clock
  /** Members that are kept; the oldest is forgotten first. */
  readonly maxSize: number
  /** Milliseconds after which a member is forgotten. */
  readonly expiresMs: number
}

/**
 * Texts with the time at which each was added: bounded in number and in age, every step of it as quick with many as with few.
 * Mirrors Celery's `LimitedSet`.
 */
export class LimitedSet {
  /** In the order in which they were added or made new. */
  private readonly members = new Map<string, number>()
  /** One for good: another would begin by passing over the places of all those that are gone. */
  private readonly following = this.members.keys()
  /** What `following` has come to; all other members are still ahead of it. */
  private oldest: string | null = null

  constructor(private readonly options: LimitedSetOptions) {}

  get size(): number {
    this.forgetOld()
    return this.members.size
  }

  /** Adds a member, or makes an old one new. @param at wall-clock milliseconds */
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
    // What another node has told of may be older than what was added before it.
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
