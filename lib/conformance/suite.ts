import { fail } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { inspect, isDeepStrictEqual } from 'node:util'

/** Adds a test to whatever runs tests: the `test` or `it` of Jest, Vitest and `node:test`. */
export type AddTest = (name: string, run: () => Promise<void>) => unknown

/** Adds a case to a suite. Each case gets a bench of its own, which is cleared when the case has ended. */
export type AddCase<Bench> = (name: string, run: (bench: Bench) => Promise<void>) => void

const POLL_MS = 5
/** Only what hangs reaches it, however slow and busy the machine is. */
const PATIENCE_MS = 120_000

/**
 * Makes of cases tests that need nothing but a name and a function.
 * @param prefix what the names of the tests begin with
 * @param open makes the bench of a case
 * @param clear ends what the case has left
 */
export function cases<Bench>(
  test: AddTest,
  prefix: string,
  open: () => Promise<Bench> | Bench,
  clear: (bench: Bench) => Promise<void>,
): AddCase<Bench> {
  return (name, run) => {
    // Runners tell by the number of parameters whether a test calls back.
    test(`${prefix} ${name}`, async () => {
      const bench = await open()
      try {
        await run(bench)
      } finally {
        await clear(bench)
      }
    })
  }
}

/** Waits until a condition holds. @throws Error that names what was waited for, after two minutes */
export async function waitFor(condition: () => unknown, what: string): Promise<void> {
  const since = performance.now()
  for (;;) {
    const value = await condition()
    if (value) return
    if (performance.now() - since > PATIENCE_MS) {
      throw new Error(`waited ${PATIENCE_MS / 1000} s for ${what}; the last value was ${inspect(value)}`)
    }
    await pause(POLL_MS)
  }
}

/** A name that nothing else has. */
export function randomName(): string {
  return `conformance.${randomUUID()}`
}

/** That a value has all members of `expected`, whatever else it has. @throws AssertionError */
export function matches(actual: unknown, expected: object): void {
  if (!has(actual, expected)) fail(`${inspect(actual)} does not have ${inspect(expected)}`)
}

/** That one of the texts contains another. @throws AssertionError */
export function tells(texts: readonly string[] | undefined, part: string): void {
  if (!texts?.some((text) => text.includes(part))) fail(`${inspect(texts)} does not say ${JSON.stringify(part)}`)
}

function has(actual: unknown, expected: unknown): boolean {
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected)) {
    return isDeepStrictEqual(actual, expected)
  }
  if (typeof actual !== 'object' || actual === null) return false
  return Object.entries(expected).every(([name, value]) => has((actual as Record<string, unknown>)[name], value))
}
