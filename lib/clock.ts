import type { Clock } from './ports.js'

/** Node reduces longer timers to 1 ms; a longer wait is split into several timers. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Node's timers count whole milliseconds and may fire a fraction of one too early; ours never do. */
const MARGIN_MS = 1

/** The real clock. Specs use `spec/support/fakeClock.ts` instead. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(fn, delayMs) {
    let handle: NodeJS.Timeout
    const arm = (remainingMs: number): void => {
      const stepMs = Math.min(remainingMs, LONGEST_TIMER_MS)
      handle = setTimeout(() => (remainingMs > stepMs ? arm(remainingMs - stepMs) : fn()), stepMs)
    }
    arm(delayMs > 0 ? Math.ceil(delayMs) + MARGIN_MS : 0)
    return { cancel: () => clearTimeout(handle) }
  },
}

/** Resolves after so many milliseconds. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(resolve, ms)
  })
}
