import { setTimeout as pause } from 'node:timers/promises'
import { inspect } from 'node:util'

const POLL_MS = 5

/**
 * Waits until a condition holds, asking every few milliseconds.
 * @throws Error that names what was waited for, and the condition's last value, after `timeoutMs`; the signal's reason; what the condition throws
 */
export async function waitFor(
  condition: () => unknown,
  {
    everyMs = POLL_MS,
    signal,
    timeoutMs,
    what,
  }: { readonly timeoutMs: number; readonly what: string; readonly everyMs?: number; readonly signal?: AbortSignal },
): Promise<void> {
  const until = performance.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value) return
    if (performance.now() > until)
      throw new Error(`waited ${timeoutMs} ms for ${what}; the last value was ${inspect(value)}`)
    await pause(everyMs, undefined, signal ? { signal } : {})
  }
}
