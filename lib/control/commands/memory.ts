import { getHeapSpaceStatistics, writeHeapSnapshot } from 'node:v8'
import { integer, optional, raw } from '../arguments.js'
import { command, nok } from '../command.js'

/** Milliseconds between two heap snapshots. */
const LEAST_INTERVAL_MS = 60_000
const UNITS: ReadonlyArray<readonly [bytes: number, unit: string]> = [
  [2 ** 40, 'TB'],
  [2 ** 30, 'GB'],
  [2 ** 20, 'MB'],
  [2 ** 10, 'KB'],
  [1, 'b'],
]

/** Commands that show Python's objects in Celery, and V8's heap here. */
export const memoryCommands = [
  command({
    name: 'memsample',
    kind: 'inspect',
    help: 'Take a sample of the resident memory.',
    run: (_, { notes }) => {
      const now = sample()
      notes.keep(now)
      return now
    },
  }),
  command({
    name: 'memdump',
    kind: 'inspect',
    help: 'The samples that memsample took since the last memdump, and the memory in use now.',
    args: { samples: optional(integer(1)) },
    signature: '[n_samples=10]',
    run: ({ samples }, { notes }) => {
      const taken = spread(notes.takeSamples(), samples ?? 10)
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
  }),
  command({
    name: 'objgraph',
    kind: 'inspect',
    help: 'Write a heap snapshot to the file that worker_heap_snapshot names.',
    args: { type: raw, num: integer(0), max_depth: integer(0) },
    signature: '[object_type=Request] [num=200 [max_depth=10]]',
    run: (_, { clock, log, notes, settings }) => {
      const file = settings.worker_heap_snapshot
      // A snapshot stops the worker for seconds, and contains everything, secrets too: it must not be open to all who
      // may publish.
      if (file === null) return nok('no heap snapshot is written unless worker_heap_snapshot names a file for it')
      const waitMs = notes.snapshotAt + LEAST_INTERVAL_MS - clock.monotonic()
      if (waitMs > 0) return nok(`a heap snapshot was written just now; ask again in ${Math.ceil(waitMs / 1000)} s`)
      notes.snapshotAt = clock.monotonic()
      log.warning(`Writing a heap snapshot to ${file}; the worker does nothing else until it is written`)
      return { filename: writeHeapSnapshot(file) }
    },
  }),
]

const sample = (): string => humanBytes(process.memoryUsage.rss())

/** Picks at most `n` of them, evenly spread. */
function spread(all: readonly string[], n: number): readonly string[] {
  if (all.length <= n) return all
  const step = Math.floor(all.length / n)
  return Array.from({ length: n }, (_, at) => all[at * step] ?? '')
}

function humanBytes(bytes: number): string {
  const [size, unit] = UNITS.find(([size]) => bytes >= size) ?? [1, 'b']
  return `${Number((bytes / size).toPrecision(5))}${unit}`
}
