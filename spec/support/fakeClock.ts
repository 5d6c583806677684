import type { Clock, Timer } from '../../lib/ports.js'

/** A clock that stands still until it is told to go on. Wall clock and monotonic clock agree. */
export class FakeClock implements Clock {
  private timers: Array<{ at: number; order: number; fn: () => void }> = []
  private count = 0

  constructor(private time = 1_000_000) {}

  now(): number {
    return this.time
  }

  monotonic(): number {
    return this.time
  }

  setTimer(fn: () => void, delayMs: number): Timer {
    const timer = { at: this.time + Math.max(0, delayMs), order: this.count++, fn }
    this.timers.push(timer)
    return {
      cancel: () => {
        this.timers = this.timers.filter((other) => other !== timer)
      },
    }
  }

  /** Timers that are set and haven't run. */
  get pending(): number {
    return this.timers.length
  }

  /** Runs everything that falls due within `ms`, in order. */
  advance(ms: number): void {
    const until = this.time + ms
    for (;;) {
      const next = this.timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at || a.order - b.order)[0]
      if (!next) break
      this.time = Math.max(this.time, next.at)
      this.timers = this.timers.filter((other) => other !== next)
      next.fn()
    }
    this.time = until
  }
}
