interface Point {
  /** Monotonic milliseconds. */
  readonly at: number
  /** Messages that had come into the queue by then, including those found at the start. */
  readonly arrived: number
}

/** Points are thinned out above this number; the longer a message waits, the less a second matters. */
const MOST_POINTS = 512

/**
 * Estimates how long the oldest message of a queue has waited. The broker doesn't tell, and Celery's messages carry no
 * time. But a queue is first in, first out: if `arrived` messages have come and `ready` of them are still there, the
 * oldest is the one that came after `arrived - ready` others, and is as old as the moment when the count of arrivals
 * passed that number. Messages that went back to the queue, or have a priority, make the estimate inexact.
 */
export class QueueAge {
  private points: Point[] = []
  private ready = 0
  private taken = 0

  /** Monotonic milliseconds of the last sample. */
  get sampledAt(): number {
    return this.points.at(-1)?.at ?? Number.NEGATIVE_INFINITY
  }

  /**
   * Adds a reading.
   * @param now monotonic milliseconds
   * @param ready messages in the queue, delivered to nobody
   * @param taken messages that this worker has taken from it so far
   * @param share how many times as many the whole fleet takes: its consumers over ours; 0 if we take none
   */
  sample(now: number, ready: number, taken: number, share: number): void {
    const last = this.points.at(-1)
    const left = (taken - this.taken) * share
    const arrived = last ? last.arrived + Math.max(0, ready - this.ready + left) : ready
    this.ready = ready
    this.taken = taken
    this.points.push({ at: now, arrived })
    this.forget(arrived - ready)
  }

  /** Returns milliseconds; a lower bound if the message was there before the first sample. */
  oldestMs(now: number): number {
    const [before, after] = this.points
    if (this.ready === 0 || !before) return 0
    const gone = this.sampleArrived - this.ready
    if (!after || gone < before.arrived) return now - before.at
    const part = (gone - before.arrived) / (after.arrived - before.arrived)
    return now - (before.at + part * (after.at - before.at))
  }

  private get sampleArrived(): number {
    return this.points.at(-1)?.arrived ?? 0
  }

  /** Drops the points before the last one that precedes the oldest message. */
  private forget(gone: number): void {
    const first = this.points.findIndex(({ arrived }) => arrived > gone)
    if (first < 0) this.points = this.points.slice(-1)
    else if (first > 1) this.points = this.points.slice(first - 1)
    if (this.points.length > MOST_POINTS) {
      this.points = this.points.filter((_, at) => at % 2 === 0 || at === 1 || at === this.points.length - 1)
    }
  }
}
