import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

/** Standard input, which may be a terminal. */
export type Input = Readable & {
  readonly isTTY?: boolean
  setRawMode?(raw: boolean): unknown
}

/**
 * Asks until the answer is yes or no, as click's `confirm`: an empty answer is no.
 * @returns null when the input ends without an answer
 */
export async function confirm(question: string, input: Input, stdout: Writable): Promise<boolean | null> {
  const reader = createInterface({ input, terminal: false })
  const ended = once(reader, 'close').then(() => null)
  try {
    for (;;) {
      stdout.write(`${question} [y/N]: `)
      const line = await Promise.race([once(reader, 'line').then(([text]) => String(text)), ended])
      if (line === null) return null
      const answer = line.trim().toLowerCase()
      if (['y', 'yes'].includes(answer)) return true
      if (['n', 'no', ''].includes(answer)) return false
      stdout.write('Error: invalid input\n')
    }
  } finally {
    reader.close()
  }
}
