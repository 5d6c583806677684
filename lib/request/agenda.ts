import { PriorityQueue } from '../containers/priorityQueue.js'
import type { Clock, Timer } from '../ports.js'

/** Below this number, cancelled entries don't matter. */
const FEW = 64

/**
 * Calls functions at many different times with a single timer of the clock. A hundred thousand waiting messages with a
 * timer each would take hundreds of bytes for every timer.
 */
export class Agenda {
  private entries = new PriorityQueue(byTime)
  private cancelled = 0
  private count = 0
  private timer: Timer | null = null
  /** Monotonic milliseconds at which the timer fires. */
  private timerAt = Number.POSITIVE_INFINITY

  constructor(private readonly clock: Clock) {}

  /**
   * Calls `fn` with `item` once, `delayMs` milliseconds from now. Entries that are due at the same time run in the order
   * in which they were set.
   */
  setTimer(fn: () => void, delayMs: number): Timer
  setTimer<T>(fn: (item: T) => void, delayMs: number, item: T): Timer
  setTimer(fn: (item: unknown) => void, delayMs: number, item?: unknown): Timer {
    const entry = new Entry(this.clock.monotonic() + Math.max(0, delayMs), ++this.count, fn, item, this.onCancel)
    this.entries.push(entry)
    this.arm()
    return entry
  }

  private readonly onCancel = (): void => {
    this.cancelled++
    if (this.cancelled > FEW && this.cancelled > this.entries.length / 2) {
      this.entries = new PriorityQueue(
        byTime,
        this.entries.data.filter(({ fn }) => fn !== null),
      )
      this.cancelled = 0
    }
    this.arm()
  }

  /** Sets the timer for the first entry, unless it is set already. */
  private arm(): void {
    const at = this.first()?.at ?? Number.POSITIVE_INFINITY
    if (at === this.timerAt) return
    this.timer?.cancel()
    this.timerAt = at
    this.timer =
      at === Number.POSITIVE_INFINITY ? null : this.clock.setTimer(() => this.ring(), at - this.clock.monotonic())
  }

  /** The first entry that isn't cancelled. */
  private first(): Entry | undefined {
    for (let entry = this.entries.peek(); entry; entry = this.entries.peek()) {
      if (entry.fn !== null) return entry
      this.entries.pop()
      this.cancelled--
    }
    return undefined
  }

  private ring(): void {
    this.timer = null
    this.timerAt = Number.POSITIVE_INFINITY
    try {
      for (let due = this.takeDue(); due; due = this.takeDue()) due.run()
    } finally {
      this.arm()
    }
  }

  private takeDue(): Entry | null {
    const entry = this.first()
    if (entry === undefined || entry.at > this.clock.monotonic()) return null
    this.entries.pop()
    return entry
  }
}

function byTime(one: Entry, other: Entry): number {
  return one.at - other.at || one.number - other.number
}

class Entry implements Timer {
  constructor(
    /** Monotonic milliseconds. */
    readonly at: number,
    readonly number: number,
    /** Null once it has run or is cancelled. */
    public fn: ((item: unknown) => void) | null,
    /** Apart from the function, which all entries of a kind share. */
    private readonly item: unknown,
    private readonly onCancel: () => void,
  ) {}

  run(): void {
    const { fn, item } = this
    this.fn = null
    fn?.(item)
  }

  cancel(): void {
    if (this.fn === null) return
    this.fn = null
    this.onCancel()
  }
}
