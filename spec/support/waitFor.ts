import { inspect } from 'node:util'

const POLL_MS = 5

/**
 * Waits until a condition holds.
 * @throws Error that names what was waited for, and the condition's last value, after `timeoutMs`
 */
export async function waitFor(
  condition: () => unknown,
  { timeoutMs, what }: { timeoutMs: number; what: string },
): Promise<void> {
  const until = performance.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value) return
    if (performance.now() > until)
      throw new Error(`waited ${timeoutMs} ms for ${what}; the last value was ${inspect(value)}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
