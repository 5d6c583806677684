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
  const ask = (): void => void stdout.write(`${question} [y/N]: `)
  try {
    ask()
    for await (const line of reader) {
      const answer = line.trim().toLowerCase()
      if (['y', 'yes'].includes(answer)) return true
      if (['n', 'no', ''].includes(answer)) return false
      stdout.write('Error: invalid input\n')
      ask()
    }
    return null
  } finally {
    reader.close()
  }
}
