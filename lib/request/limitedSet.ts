import { LRUCache } from 'lru-cache'
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
  /** Made with the first member, since it makes room for all of them at once. */
  private members: LRUCache<string, number> | null = null

  constructor(private readonly options: LimitedSetOptions) {}

  get size(): number {
    this.forgetOld()
    return this.members?.size ?? 0
  }

  /** Adds a member, or makes an old one new. @param at wall-clock milliseconds */
  add(member: string, at: number): void {
    this.members ??= new LRUCache({ max: this.options.maxSize })
    this.members.set(member, at)
  }

  has(member: string): boolean {
    const at = this.members?.peek(member)
    return at !== undefined && this.options.clock.now() - at < this.options.expiresMs
  }

  /** Members and their times, the oldest first. */
  entries(): (readonly [member: string, at: number])[] {
    this.forgetOld()
    const { clock, expiresMs } = this.options
    const now = clock.now()
    const entries = this.members ? ([...this.members.rentries()] as [string, number][]) : []
    // What another node has told of may be older than what was added before it.
    return entries.filter(([, at]) => now - at < expiresMs)
  }

  private forgetOld(): void {
    const { clock, expiresMs } = this.options
    const now = clock.now()
    while (this.members && this.members.size > 0) {
      const [oldest] = this.members.rvalues()
      if (oldest === undefined || now - oldest < expiresMs) return
      this.members.pop()
    }
  }
}
