import { fail } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { inspect, isDeepStrictEqual } from 'node:util'

/** Adds a test to a test runner: the `test` or `it` of Jest, Vitest and `node:test`. */
export type AddTest = (name: string, run: () => Promise<void>) => unknown

/** Adds a case to a suite. Each case gets a bench of its own, which is cleared when the case has ended. */
export type AddCase<Bench> = (name: string, run: (bench: Bench) => Promise<void>) => void

const POLL_MS = 5
/** Long enough for any slow and busy machine: only a test that hangs reaches it. */
const PATIENCE_MS = 120_000

/**
 * Turns cases into tests that need nothing but a name and a function.
 * @param prefix beginning of the names of the tests
 * @param open makes the bench of a case
 * @param clear cleans up after a case
 */
export function cases<Bench>(
  test: AddTest,
  prefix: string,
  open: () => Promise<Bench> | Bench,
  clear: (bench: Bench) => Promise<void>,
): AddCase<Bench> {
  return (name, run) => {
    // Runners decide by the number of parameters whether a test uses a callback.
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

/** Returns a unique name. */
export function randomName(): string {
  return `conformance.${randomUUID()}`
}

/** Asserts that a value has all members of `expected`, whatever else it has. @throws AssertionError */
export function matches(actual: unknown, expected: object): void {
  if (!has(actual, expected)) fail(`${inspect(actual)} does not have ${inspect(expected)}`)
}

/** Asserts that one of the texts contains `part`. @throws AssertionError */
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
