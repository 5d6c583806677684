import { existsSync, readFileSync } from 'node:fs'

/** One run of `bench.stamp`; times are microseconds of the machine's monotonic clock. */
export interface Stamp {
  readonly key: string
  /** When it was published. */
  readonly sent: number
  readonly began: number
  readonly ended: number
}

/** The trace so far. A line that isn't whole yet is left out. */
export function readStamps(file: string): Stamp[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [key = '', ...times] = line.split(' ')
      const [sent = 0, began = 0, ended = 0] = times.map(Number)
      return { key, sent, began, ended }
    })
}
