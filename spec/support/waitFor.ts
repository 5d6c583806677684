import { setTimeout as pause } from 'node:timers/promises'
import { inspect } from 'node:util'

const POLL_MS = 5

/** The end of every wait of the specs and the bench: only what hangs reaches it, however slow and busy the machine is. */
export const PATIENCE_MS = 120_000

/**
 * Waits until a condition holds, asking every few milliseconds.
 * @param timeoutMs for what may take longer than `PATIENCE_MS`; a shorter time is not obeyed, since it would fail on a slow machine
 * @throws Error that names what was waited for, and the condition's last value, after that time; the signal's reason; what the condition throws
 */
export async function waitFor(
  condition: () => unknown,
  {
    everyMs = POLL_MS,
    signal,
    timeoutMs = PATIENCE_MS,
    what,
  }: { readonly timeoutMs?: number; readonly what: string; readonly everyMs?: number; readonly signal?: AbortSignal },
): Promise<void> {
  const since = performance.now()
  const longestMs = Math.max(timeoutMs, PATIENCE_MS)
  for (;;) {
    const value = await condition()
    if (value) return
    if (performance.now() - since > longestMs)
      throw new Error(`waited ${longestMs} ms for ${what}; the last value was ${inspect(value)}`)
    await pause(everyMs, undefined, signal ? { signal } : {})
  }
}
