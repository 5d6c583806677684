interface Point {
  /** Monotonic milliseconds. */
  readonly at: number
  /** Messages that had come into the queue by then, those found in it at first included. */
  readonly arrived: number
}

/** More points than this are thinned out; the longer a message waits, the less a second matters. */
const MOST_POINTS = 512

/**
 * How long the oldest message of a queue has waited. The broker doesn't tell, and Celery's messages carry no time; but a queue is
 * first in, first out: if `arrived` messages have come and `ready` of them are still there, the oldest is the one that came after
 * `arrived - ready` others, and so it is as old as the moment when the count of arrivals passed that number. An estimate: messages
 * that went back to the queue, or have a priority, have other places than it thinks.
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
   * @param now monotonic milliseconds
   * @param ready messages in the queue, delivered to nobody
   * @param taken messages that this worker has taken from it, ever
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

  /** Milliseconds; at least that, where the message was there before the first sample. */
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

  /** Keeps the points from the last one before the oldest message came. */
  private forget(gone: number): void {
    const first = this.points.findIndex(({ arrived }) => arrived > gone)
    if (first < 0) this.points = this.points.slice(-1)
    else if (first > 1) this.points = this.points.slice(first - 1)
    if (this.points.length > MOST_POINTS) {
      this.points = this.points.filter((_, at) => at % 2 === 0 || at === 1 || at === this.points.length - 1)
    }
  }
}
