/** Minimum distance between early ticks in milliseconds, after none, one, two and so on of them were in vain. */
const APART_MS = [10, 10, 25, 50] as const
const FARTHEST_MS = 100

/**
 * Limits how soon after a tick an early one may follow when every slot is busy. The first two come at once: the second
 * sees whether runs end as soon as they used to. But a load that keeps all slots busy without needing more would ask
 * the broker a hundred times a second for nothing, so early ticks that open no slot delay the next one.
 */
export class EarlyTicks {
  private inVain = 0

  /** Milliseconds from one tick to the next early one. */
  get distanceMs(): number {
    return APART_MS[this.inVain] ?? FARTHEST_MS
  }

  /** Records a regular tick. */
  rested(): void {
    this.inVain = 0
  }

  /** Records an early tick. @param grew true if it opened slots */
  came(grew: boolean): void {
    this.inVain = grew ? 2 : this.inVain + 1
  }
}
