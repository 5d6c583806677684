import type { Clock } from '../ports.js'

/** Seconds between heartbeats of a worker whose events don't say; Celery's default. */
const DEFAULT_FREQ = 60
/** Number of heartbeat intervals after which a silent worker counts as gone. */
const INTERVALS = 2
const LONGEST_FREQ = 3600
const MOST = 10_000

/** A worker that is known by its events; fields that it didn't send are null. */
export interface Member {
  readonly hostname: string
  readonly pid: number | null
  /** Seconds between its heartbeats. */
  readonly freq: number
  readonly active: number | null
  readonly processed: number | null
  /** Monotonic milliseconds at which its last event came. */
  readonly seenAt: number
}

/** The other workers, by node name, while their heartbeats come. */
export class Members {
  private readonly byName = new Map<string, Member>()

  constructor(private readonly clock: Clock) {}

  /** Records an event of a worker. @returns whether the worker was unknown */
  saw(hostname: string, event: Readonly<Record<string, unknown>>): boolean {
    const before = this.byName.get(hostname)
    // No fleet reaches this bound, but a fault that makes up names would.
    if (!before && this.byName.size >= MOST) return false
    const freq = numberOf(event.freq) ?? before?.freq ?? DEFAULT_FREQ
    this.byName.set(hostname, {
      hostname,
      pid: numberOf(event.pid) ?? before?.pid ?? null,
      freq: Math.min(LONGEST_FREQ, Math.max(0, freq)),
      active: numberOf(event.active) ?? before?.active ?? null,
      processed: numberOf(event.processed) ?? before?.processed ?? null,
      seenAt: this.clock.monotonic(),
    })
    return !before
  }

  remove(hostname: string): void {
    this.byName.delete(hostname)
  }

  /** Removes those whose heartbeats have stopped. @returns their names */
  removeSilent(): string[] {
    const silent = [...this.byName.values()].filter((member) => !this.isAlive(member)).map(({ hostname }) => hostname)
    for (const hostname of silent) this.byName.delete(hostname)
    return silent
  }

  get alive(): Member[] {
    return [...this.byName.values()].filter((member) => this.isAlive(member))
  }

  clear(): void {
    this.byName.clear()
  }

  private isAlive({ freq, seenAt }: Member): boolean {
    return this.clock.monotonic() < seenAt + freq * INTERVALS * 1000
  }
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
