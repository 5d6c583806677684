import { type EventLoopUtilization, performance } from 'node:perf_hooks'
import type { Component } from '../component.js'
import type { Clock, Timer } from '../ports.js'

const TICK_MS = 1_000
/** Number of beats that its figures are based on. */
const REMEMBERED = 15

interface Beat {
  /** Milliseconds by which the beat was late. */
  readonly lateMs: number
  readonly loop: EventLoopUtilization
}

export interface PulseOptions {
  readonly clock: Clock
  /** Called every second. @param now monotonic milliseconds */
  onBeat(now: number): void
}

/** Measures the event loop by a beat every second: what delays a beat delays everything else. */
export class Pulse implements Component {
  readonly name = 'pulse'
  private readonly beats: Beat[] = []
  private timer: Timer | null = null
  private dueAt = 0

  constructor(private readonly options: PulseOptions) {}

  /** Milliseconds by which the latest of the last beats was late. */
  get latestMs(): number {
    return Math.max(0, ...this.beats.map(({ lateMs }) => lateMs))
  }

  /** Fraction of the last seconds in which the event loop was busy, 0 to 1. */
  get utilisation(): number {
    const [first] = this.beats
    return first ? performance.eventLoopUtilization(first.loop).utilization : 0
  }

  /** Fraction of the last second in which the event loop was busy. */
  get latestUtilisation(): number {
    const [before, last] = this.beats.slice(-2)
    return before && last ? performance.eventLoopUtilization(last.loop, before.loop).utilization : this.utilisation
  }

  async start(): Promise<void> {
    if (!this.timer) this.schedule()
  }

  async stop(): Promise<void> {
    this.timer?.cancel()
  }

  private schedule(): void {
    const { clock } = this.options
    this.dueAt = clock.monotonic() + TICK_MS
    this.timer = clock.setTimer(() => this.beat(), TICK_MS)
  }

  private beat(): void {
    const now = this.options.clock.monotonic()
    this.beats.push({ lateMs: now - this.dueAt, loop: performance.eventLoopUtilization() })
    if (this.beats.length > REMEMBERED) this.beats.shift()
    this.schedule()
    this.options.onBeat(now)
  }
}
