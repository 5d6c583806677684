/*
 * The app that the process specs give to a real worker. Each run leaves a line at its beginning and at its end in the file named by
 * STEPS_TRACE, written before anything else happens, so that what was begun is known even after a kill.
 */
import { openSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Celery, type TaskContext } from 'celeriac'

const SLICE_MS = 10
const STOOD_STILL_MS = 1500

const file = openSync(process.env.STEPS_TRACE ?? '/dev/null', 'a')
const note = (event: 'begin' | 'end' | 'abort', n: number, key: string, at = Date.now()): void => {
  writeSync(file, `${JSON.stringify({ event, n, key, at, pid: process.pid })}\n`)
}

const app = new Celery('steps')

app.task(
  'steps.step',
  { params: ['n', 'key', 'ms'], orderBy: 'kwargs.key' },
  async (n: number, key: string, ms: number) => {
    note('begin', n, key)
    await sleep(ms)
    note('end', n, key)
  },
)

/** Heeds its signal, and notices itself when the process stood still: then it was at work until just before that. */
app.task(
  'steps.heed',
  { bind: true, params: ['n', 'key', 'ms'], orderBy: 'kwargs.key' },
  async (self: TaskContext, n: number, key: string, ms: number) => {
    let at = Date.now()
    const until = at + ms
    note('begin', n, key)
    while (at < until) {
      await sleep(Math.min(SLICE_MS, until - at))
      const now = Date.now()
      if (self.signal.aborted || now - at > STOOD_STILL_MS) {
        note('abort', n, key, self.signal.aborted && now - at <= STOOD_STILL_MS ? now : at)
        throw self.retry({ countdown: 0, maxRetries: null })
      }
      at = now
    }
    note('end', n, key)
  },
)

app.task('steps.loose', { params: ['n', 'ms'] }, async (n: number, ms: number) => {
  note('begin', n, 'loose')
  await sleep(ms)
  note('end', n, 'loose')
})

app.task('steps.send', { params: ['n', 'ms'], acksLate: true }, async (n: number, ms: number) => {
  note('begin', n, 'send')
  await sleep(ms)
  await app.sendTask('steps.loose', [n, 0], {}, { queue: process.env.STEPS_QUEUE ?? 'celery' })
  note('end', n, 'send')
})

app.task('steps.talk', { params: ['n', 'ms'], acksLate: true }, async (n: number, ms: number) => {
  note('begin', n, 'talk')
  await sleep(ms)
  console.log('said by a task')
  process.stdout.write('said by a task\n')
  process.stderr.write('said by a task\n')
  await sleep(100)
  note('end', n, 'talk')
})

app.task('steps.hang', { params: ['n', 'ms'] }, (n: number, ms: number) => {
  note('begin', n, 'hang')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  note('end', n, 'hang')
})

app.task('tasks.add', { params: ['x', 'y'] }, (x: number, y: number) => {
  note('end', x + y, 'add')
  return x + y
})

export default app
