/**
 * The logical clock shared by Celery's nodes: incremented with each message sent, and moved past every clock seen. One
 * for the whole worker, over all its connections: a monitor drops a worker whose clock goes back.
 */
export class LamportClock {
  private now = 0

  get value(): number {
    return this.now
  }

  /** Increments the clock for a message that is sent, and for a control message received. */
  forward(): number {
    this.now++
    return this.now
  }

  /** Moves the clock past one seen on another node. */
  adjust(other: number): number {
    this.now = Math.max(this.now, other) + 1
    return this.now
  }
}
