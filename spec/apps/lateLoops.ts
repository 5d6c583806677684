/*
 * Loops that know how late they are: each waits for short times, over and over, and compares the clock with what it asked for. On
 * SIGUSR2 the program writes what it has seen since the last one as a line into the file named by LATENESS_TRACE.
 */
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const WAIT_MS = 1000
const NEVER = new AbortController().signal
let seen: number[] = []
let begun = 0

process.on('SIGUSR2', () => {
  seen.sort((a, b) => a - b)
  const at = (share: number): number => seen[Math.min(seen.length - 1, Math.floor(seen.length * share))] ?? 0
  const line = { begun, count: seen.length, p99: at(0.99) }
  appendFileSync(process.env.LATENESS_TRACE ?? '/dev/null', `${JSON.stringify(line)}\n`)
  seen = []
})

/** The waits of the loops are spread over the second by `n`. */
export async function watch(n: number, signal: AbortSignal = NEVER): Promise<void> {
  begun++
  await sleep(n % WAIT_MS)
  while (!signal.aborted) {
    const since = performance.now()
    await sleep(WAIT_MS)
    seen.push(performance.now() - since - WAIT_MS)
  }
}

/** Keeps the event loop busy for nine of each ten milliseconds. */
export async function burn(signal: AbortSignal = NEVER): Promise<void> {
  begun++
  while (!signal.aborted) {
    const until = performance.now() + 9
    while (performance.now() < until);
    await sleep(1)
  }
}
