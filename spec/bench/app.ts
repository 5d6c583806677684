import { openSync, writeSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Celery } from 'celeriac'
import { microseconds } from './microseconds.js'

/*
 * The tasks of the bench. Environment:
 *   BENCH_ORDER   "on": messages with the same `key` run in their order
 *   BENCH_TRACE   the file to which `bench.stamp` appends when it began and ended, and `bench.memory` what is resident without garbage
 */
const file = openSync(process.env.BENCH_TRACE ?? '/dev/null', 'a')
const orderBy = process.env.BENCH_ORDER === 'on' ? 'kwargs.key' : undefined

const app = new Celery('bench')

app.task(
  'bench.noop',
  { params: ['x', 'y', 'key'], orderBy },
  (_x: unknown = null, _y: unknown = null, _key: unknown = null) => null,
)

app.task('bench.wait', { params: ['ms', 'key'], orderBy }, async (ms: number, _key: unknown = null) => {
  await setTimeout(ms)
})

app.task('bench.stamp', { params: ['sent', 'ms', 'key'], orderBy }, async (sent: number, ms: number, key: string) => {
  const began = microseconds()
  if (ms > 0) await setTimeout(ms)
  writeSync(file, `${key} ${sent} ${began} ${microseconds()}\n`)
})

// Node.js has no other way to collect garbage on demand, short of a flag for the whole worker.
app.task('bench.memory', { params: ['reading'] }, (reading: number) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  writeSync(file, `${reading} ${process.memoryUsage.rss()}\n`)
})

export default app
