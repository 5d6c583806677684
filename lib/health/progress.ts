/** What the watchdog checks. */
export interface Work {
  /** Slots in which nothing runs. */
  readonly free: number
  /** Messages received here that wait only for a slot. */
  readonly ready: number
  /** Messages received here that aren't done, whatever they wait for. */
  readonly held: number
  /**
   * True if the broker has messages for this worker: ready, by a recent reading, in a queue that no other worker
   * consumes.
   */
  readonly waiting: boolean
  /** Increases with each message that is received, started or ended. */
  readonly moved: number
}

/** Milliseconds without progress, although there is work, after which the worker counts as stalled. */
const STALLED_AFTER_MS = 120_000
/** After a longer pause between two checks, such as a machine's sleep, nothing is known about the time between. */
const LONGEST_STEP_MS = 10_000

/**
 * Detects a worker that is alive but does nothing. Only impossible states count: requests that could run beside a free
 * slot and don't, or a worker without messages whose queue is full. Tasks that take hours, parked messages, an
 * unavailable broker and a single-active queue that another worker consumes are not a stall.
 */
export class Progress {
  private moved = -1
  private since: number | null = null
  private lookedAt = Number.NEGATIVE_INFINITY

  /** @param now monotonic milliseconds */
  look(now: number, work: Work): void {
    const idle = work.free > 0 && (work.ready > 0 || (work.held === 0 && work.waiting))
    const still = work.moved === this.moved && now - this.lookedAt <= LONGEST_STEP_MS
    if (!idle) this.since = null
    else if (this.since === null || !still) this.since = now
    this.moved = work.moved
    this.lookedAt = now
  }

  /** Milliseconds for which work has been left undone, up to the last check. */
  get idleMs(): number {
    return this.since === null ? 0 : this.lookedAt - this.since
  }

  get stalled(): boolean {
    return this.idleMs >= STALLED_AFTER_MS
  }
}
