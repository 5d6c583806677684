import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getHeapSpaceStatistics, writeHeapSnapshot } from 'node:v8'
import { given, integer } from '../arguments.js'
import type { Command } from '../panel.js'
import type { ControlParts } from '../parts.js'

/** Samples that are kept at most; whoever takes them and never asks must not fill the memory with them. */
const MOST_SAMPLES = 10_000
const UNITS: ReadonlyArray<readonly [bytes: number, unit: string]> = [
  [2 ** 40, 'TB'],
  [2 ** 30, 'GB'],
  [2 ** 20, 'MB'],
  [2 ** 10, 'KB'],
  [1, 'b'],
]

/** What Python's tell of its objects, told of V8's heap. */
export function memoryCommands({ log }: Pick<ControlParts, 'log'>): Record<string, Command> {
  let samples: string[] = []
  const sample = (): string => humanBytes(process.memoryUsage.rss())
  return {
    memsample: () => {
      const now = sample()
      samples = [...samples.slice(1 - MOST_SAMPLES), now]
      return now
    },
    memdump: ({ samples: n }) => {
      const taken = spread(samples, given(n) ? integer('samples', n, 1) : 10)
      samples = []
      return [
        ...(taken.length > 0 ? ['- rss (sample):', ...taken.map((rss) => `-    > ${rss},`)] : []),
        `- rss (end): ${sample()}.`,
        ...getHeapSpaceStatistics().map(
          ({ space_name, space_size, space_used_size }) =>
            `- heap (${space_name}): ${humanBytes(space_used_size)} of ${humanBytes(space_size)}.`,
        ),
        '',
      ].join('\n')
    },
    objgraph: () => {
      // A snapshot holds everything, secrets too: it is written where only this user can look.
      const file = join(mkdtempSync(join(tmpdir(), 'celeriac-')), 'heap.heapsnapshot')
      log.warning(`Writing a heap snapshot to ${file}; nothing else is done meanwhile`)
      return { filename: writeHeapSnapshot(file) }
    },
  }
}

/** At most `n` of them, evenly spread. */
function spread(all: readonly string[], n: number): readonly string[] {
  if (all.length <= n) return all
  const step = Math.floor(all.length / n)
  return Array.from({ length: n }, (_, at) => all[at * step] ?? '')
}

function humanBytes(bytes: number): string {
  const [size, unit] = UNITS.find(([size]) => bytes >= size) ?? [1, 'b']
  return `${Number((bytes / size).toPrecision(5))}${unit}`
}
