/** What the watchdog looks at. */
export interface Work {
  /** Slots in which nothing runs. */
  readonly free: number
  /** Messages received here that wait for nothing but a slot. */
  readonly ready: number
  /** Messages received here that aren't done, whatever they wait for. */
  readonly held: number
  /** Whether the broker has messages for us: ready in a queue that we consume and nobody else does, heard of just now. */
  readonly waiting: boolean
  /** Grows with each message that is received, begun or ended. */
  readonly moved: number
}

/** No progress for so long, although there is work that could be done, is a fault of the worker's. */
const STALLED_AFTER_MS = 120_000
/** After a longer pause between two looks, such as a machine's sleep, nothing is known of the time between. */
const LONGEST_STEP_MS = 10_000

/**
 * Tells a worker that is alive but does nothing. It knows only what can't be right: requests that could run beside a free slot and
 * don't, or an empty-handed worker whose queue is full. Tasks that take hours, messages that are parked, a broker that is away,
 * another worker's turn on a single-active queue: none of that is a stall.
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

  /** For how long work has been left undone, in milliseconds, up to the last look. */
  get idleMs(): number {
    return this.since === null ? 0 : this.lookedAt - this.since
  }

  get stalled(): boolean {
    return this.idleMs >= STALLED_AFTER_MS
  }
}
