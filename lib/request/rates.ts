import type { Clock, Timer } from '../ports.js'
import type { Request } from './request.js'

interface Bucket {
  /** Runs per second. */
  perSecond: number
  /** Monotonic milliseconds from which on the next run may start. */
  nextAt: number
  /** In order of arrival; a set, so that a revoked request can leave from the middle. */
  readonly waiting: Set<Request>
  timer: Timer | null
}

/** Milliseconds by which timers are often late: what was due meanwhile is not lost to the rate. */
const LATE_MS = 20

export interface RatesOptions {
  readonly clock: Clock
  /** Called with a request whose turn has come. */
  onTurn(request: Request): void
}

/**
 * Limits how often each task may start. Runs are let through one at a time, spaced by the rate. Python's token bucket
 * lets two through back to back after a pause, which a limit is meant to prevent.
 */
export class Rates {
  private readonly buckets = new Map<string, Bucket>()

  constructor(private readonly options: RatesOptions) {}

  /** Sets a task's limit in runs per second; null removes it, and lets waiting requests go. */
  set(task: string, perSecond: number | null): void {
    const bucket = this.buckets.get(task)
    if (perSecond === null) {
      this.buckets.delete(task)
      bucket?.timer?.cancel()
      // One that goes may find that the connection is lost: then the others no longer wait.
      for (const request of bucket?.waiting ?? []) if (request.parkedFor === 'rate') this.options.onTurn(request)
      return
    }
    const now = this.options.clock.monotonic()
    if (!bucket) {
      this.buckets.set(task, { perSecond, nextAt: now, waiting: new Set(), timer: null })
      return
    }
    bucket.perSecond = perSecond
    bucket.nextAt = Math.min(bucket.nextAt, now + 1000 / perSecond)
    this.arm(bucket)
  }

  /** Returns the limit of a task in runs per second; null without a limit. */
  of(task: string): number | null {
    return this.buckets.get(task)?.perSecond ?? null
  }

  /** @returns whether the request may start now; if not it waits here for its turn */
  admit(request: Request): boolean {
    const bucket = this.buckets.get(request.task.name)
    if (!bucket) return true
    const now = this.options.clock.monotonic()
    if (bucket.waiting.size === 0 && now >= bucket.nextAt) {
      bucket.nextAt = now + 1000 / bucket.perSecond
      return true
    }
    bucket.waiting.add(request)
    this.arm(bucket)
    return false
  }

  /** Removes a request that no longer waits. */
  remove(request: Request): void {
    const bucket = this.buckets.get(request.task.name)
    if (bucket?.waiting.delete(request) && bucket.waiting.size === 0) this.arm(bucket)
  }

  private arm(bucket: Bucket): void {
    bucket.timer?.cancel()
    bucket.timer = null
    if (bucket.waiting.size === 0) return
    const delayMs = bucket.nextAt - this.options.clock.monotonic()
    bucket.timer = this.options.clock.setTimer(() => this.next(bucket), Math.max(0, delayMs))
  }

  private next(bucket: Bucket): void {
    const now = this.options.clock.monotonic()
    // Timers may be a fraction early.
    for (const request of bucket.waiting) {
      if (now + 0.5 < bucket.nextAt) break
      bucket.waiting.delete(request)
      bucket.nextAt = Math.max(now - LATE_MS, bucket.nextAt) + 1000 / bucket.perSecond
      this.options.onTurn(request)
    }
    this.arm(bucket)
  }
}
