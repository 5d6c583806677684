import type { Component } from '../component.js'
import { Listeners } from '../listeners.js'
import type { Clock, Timer } from '../ports.js'

const LOOK_MS = 1000

export interface StandstillOptions {
  readonly clock: Clock
}

/**
 * Detects that the process did not run for longer than the heartbeat (SIGSTOP, a machine that slept, a task that
 * blocked the event loop). By then its messages may run elsewhere, and it would start more of them before it learns
 * that its connection is gone.
 */
export class Standstill implements Component {
  readonly name = 'standstill'
  /** Seconds of heartbeat after which the broker drops a silent connection; 0 without a heartbeat. */
  limit = 0
  private lookedAt: number | null = null
  private timer: Timer | null = null

  private readonly findings = new Listeners<[seconds: number]>()

  constructor(private readonly options: StandstillOptions) {}

  /**
   * Calls `listener` when the process stood still for so long that the broker may have given its messages to others.
   * @returns a function that stops this
   */
  onFound(listener: (seconds: number) => void): () => void {
    return this.findings.add(listener)
  }

  async start(): Promise<void> {
    if (!this.timer) this.look()
  }

  async stop(): Promise<void> {
    this.timer?.cancel()
    this.timer = null
    this.lookedAt = null
  }

  /** Must be called before anything is started. */
  check(): void {
    if (this.lookedAt === null || this.limit === 0) return
    const now = this.options.clock.monotonic()
    const seconds = (now - this.lookedAt) / 1000
    if (seconds < this.limit + LOOK_MS / 1000) return
    this.lookedAt = now
    this.findings.tell(seconds)
  }

  private look(): void {
    this.check()
    this.lookedAt = this.options.clock.monotonic()
    this.timer = this.options.clock.setTimer(() => this.look(), LOOK_MS)
  }
}
