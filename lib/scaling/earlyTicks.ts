/** How far apart early ticks are at least, in milliseconds, after none of them, one, two and so on came in vain. */
const APART_MS = [10, 10, 25, 50] as const
const FARTHEST_MS = 100

/**
 * How soon after a tick the next early one may come, when every slot is busy. The first two come at once: the second sees
 * whether runs end as soon as they used to. But a load that keeps all slots busy and gets along with them would ask the broker
 * a hundred times a second for nothing, so early ticks that open none put the next one off.
 */
export class EarlyTicks {
  private inVain = 0

  /** Milliseconds from one tick to the next early one. */
  get distanceMs(): number {
    return APART_MS[this.inVain] ?? FARTHEST_MS
  }

  /** A tick came at its own time. */
  rested(): void {
    this.inVain = 0
  }

  /** An early tick came, and opened slots or none. */
  came(grew: boolean): void {
    this.inVain = grew ? 2 : this.inVain + 1
  }
}
