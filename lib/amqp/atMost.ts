import { setTimeout as pause } from 'node:timers/promises'

/** Waits for a promise that may fail, but no longer than `ms`. */
export async function atMost(ms: number, wait: Promise<void>): Promise<void> {
  const limit = new AbortController()
  await Promise.race([
    wait.catch(() => undefined),
    pause(ms, undefined, { signal: limit.signal }).catch(() => undefined),
  ])
  limit.abort()
}
