import type { QueueDepth } from '../broker/intake.js'
import { coerceError } from '../errors.js'
import type { Clock, Logger, Timer } from '../ports.js'

/** Milliseconds between two readings of the depths. */
const EVERY_MS = 5000
/** Milliseconds for which a depth is valid. */
const HOLDS_MS = 3 * EVERY_MS

export interface SoundingsOptions {
  /** A fleet's queue and its lanes. */
  queues(): readonly string[]
  readonly clock: Clock
  readonly log: Logger
  /** Asks the broker. Queues that can't be asked are left out. */
  depths(queues: readonly string[]): Promise<ReadonlyMap<string, QueueDepth>>
}

/**
 * The depths of a fleet's queue and of all its lanes, whoever holds them. Only one worker of a fleet asks for them, the
 * one that moves the messages: otherwise the load on the broker would grow with the number of workers.
 */
export class Soundings {
  private ready: ReadonlyMap<string, number> = new Map()
  private askedAt = Number.NEGATIVE_INFINITY
  private timer: Timer | null = null
  private on = false

  constructor(private readonly options: SoundingsOptions) {}

  /** Starts to ask, at once, or stops. */
  turn(on: boolean): void {
    if (on === this.on) return
    this.on = on
    this.timer?.cancel()
    this.ready = new Map()
    if (on) void this.ask()
  }

  /** Returns the messages ready in a queue; null while that isn't known here. */
  readyIn(queue: string): number | null {
    if (this.options.clock.monotonic() - this.askedAt > HOLDS_MS) return null
    return this.ready.get(queue) ?? null
  }

  private async ask(): Promise<void> {
    const { clock, log } = this.options
    try {
      const depths = await this.options.depths(this.options.queues())
      if (this.on && depths.size > 0) {
        this.askedAt = clock.monotonic()
        this.ready = new Map([...depths].map(([queue, { ready }]) => [queue, ready]))
      }
    } catch (thrown) {
      log.debug(`The depths of the lanes are unknown: ${coerceError(thrown).message}`)
    }
    if (!this.on) return
    this.timer?.cancel()
    this.timer = clock.setTimer(() => void this.ask(), EVERY_MS)
  }
}
