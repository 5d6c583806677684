import { getHeapSpaceStatistics, writeHeapSnapshot } from 'node:v8'
import { given, integer } from '../arguments.js'
import { type Command, nok } from '../panel.js'
import type { ControlParts } from '../parts.js'

/** Samples that are kept at most; whoever takes them and never asks must not fill the memory with them. */
const MOST_SAMPLES = 10_000
/** Between two heap snapshots. */
const LEAST_INTERVAL_MS = 60_000
const UNITS: ReadonlyArray<readonly [bytes: number, unit: string]> = [
  [2 ** 40, 'TB'],
  [2 ** 30, 'GB'],
  [2 ** 20, 'MB'],
  [2 ** 10, 'KB'],
  [1, 'b'],
]

/** What Python's tell of its objects, told of V8's heap. */
export function memoryCommands({
  clock,
  log,
  settings,
}: Pick<ControlParts, 'clock' | 'log' | 'settings'>): Record<string, Command> {
  let samples: string[] = []
  let takenAt = Number.NEGATIVE_INFINITY
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
      const file = settings.worker_heap_snapshot
      // It stops the worker for seconds, and holds everything, secrets too: nothing for whoever may publish.
      if (file === null) return nok('no heap snapshot is written unless worker_heap_snapshot names a file for it')
      const waitMs = takenAt + LEAST_INTERVAL_MS - clock.monotonic()
      if (waitMs > 0) return nok(`a heap snapshot was written just now; ask again in ${Math.ceil(waitMs / 1000)} s`)
      takenAt = clock.monotonic()
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
