/**
 * The logical clock that Celery's nodes keep together: one more for each message that is sent, and past every clock that is seen.
 * One for the whole worker, over all its connections: a monitor drops a worker whose clock goes back.
 */
export class LamportClock {
  private now = 0

  get value(): number {
    return this.now
  }

  /** For a message that is sent, and for a control message received. */
  forward(): number {
    this.now++
    return this.now
  }

  /** For a clock that was seen on another node. */
  adjust(other: number): number {
    this.now = Math.max(this.now, other) + 1
    return this.now
  }
}
