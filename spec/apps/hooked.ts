/*
 * The tasks of spec/peers/signals.py, and the same lines for each hook: its name, where it was called, and what with. They go to the file
 * SIGNALS_FILE.
 */
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread } from 'node:worker_threads'
import { type CallFacts, Celery, Ignore, Reject } from 'celeriac'

const { SIGNALS_FILE: file = '' } = process.env
const where = isMainThread && process.send === undefined ? 'worker' : 'child'

function told(hook: string, id: string | null, facts: Record<string, unknown> = {}): void {
  if (file !== '') appendFileSync(file, `${JSON.stringify({ hook, where, id, facts })}\n`)
}

class ValueError extends Error {
  static readonly excType = 'ValueError'
}

const NAMES: Readonly<Record<string, string>> = { Error: 'ValueError' }

/** Errors by their class, as Python calls it. */
function shown(value: unknown): unknown {
  if (!(value instanceof Error)) return value
  const { excType } = value as { readonly excType?: string }
  return excType ?? NAMES[value.constructor.name] ?? value.constructor.name
}

const app = new Celery('hooked').resource('log', {
  start: async () => {
    told('resource start', null)
    return (text: string) => told(`resource says ${text}`, null)
  },
  stop: () => told('resource stop', null),
})

app.use(async (request, next) => {
  told('middleware', request.id)
  return next()
})

app.task('hooked.ok', { params: ['x', 'y'] }, (x: number, y = 1) => x + y)
app.task('hooked.fail', (message: string) => {
  throw new ValueError(message)
})
app.task('hooked.again', { bind: true, maxRetries: 1 }, (self, message: string) => {
  if (self.request.retries < 1) throw self.retry({ countdown: 0.1, exc: new ValueError(message) })
  return self.request.retries
})
app.task('hooked.never', { bind: true, maxRetries: 0 }, (self) => {
  throw self.retry({ countdown: 0.1, exc: new ValueError('never') })
})
app.task('hooked.ignore', () => {
  throw new Ignore()
})
app.task('hooked.drop', { acksLate: true }, () => {
  throw new Reject('no')
})
app.task('hooked.slow', { timeLimit: 1 }, () => sleep(600_000))
app.task('hooked.sleep', { bind: true }, (self) => sleep(600_000, undefined, { signal: self.signal }))
app.task('hooked.lost', () => process.exit(3))
app.task('hooked.resource', { bind: true }, (self) => self.resources.log('hello'))

const call = ({ args, kwargs, task }: CallFacts): Record<string, unknown> => ({ task: task.name, args, kwargs })

app.on('taskReceived', ({ id, task }) => told('taskReceived', id, { task: task.name }))
app.on('taskPrerun', async (facts) => {
  await sleep(1)
  told('taskPrerun', facts.id, call(facts))
})
app.on('taskPostrun', ({ retval, state, ...facts }) =>
  told('taskPostrun', facts.id, { retval: shown(retval), state, ...call(facts) }),
)
app.on('taskSuccess', ({ id, result, task }) => told('taskSuccess', id, { task: task.name, result }))
app.on('taskFailure', ({ exception, ...facts }) =>
  told('taskFailure', facts.id, { exception: shown(exception), ...call(facts) }),
)
app.on('taskRetry', ({ exception, id, reason, task }) =>
  told('taskRetry', id, { task: task.name, reason: shown(reason), exception: shown(exception) }),
)
app.on('taskRevoked', ({ expired, id, signum, task, terminated }) =>
  told('taskRevoked', id, { task: task.name, terminated, signum, expired }),
)
app.on('taskRejected', ({ exc, message }) =>
  told('taskRejected', null, { body: message.content.toString(), exc: exc !== null }),
)
app.on('taskUnknown', ({ exc, id, name }) => told('taskUnknown', id, { name, exc: exc !== null }))
app.on('workerInit', async () => {
  await sleep(50)
  told('workerInit', null)
})
app.on('workerProcessInit', async () => {
  await sleep(50)
  told('workerProcessInit', null)
})
app.on('workerReady', () => told('workerReady', null))
app.on('workerShuttingDown', ({ exitcode, how, sig }) => told('workerShuttingDown', null, { sig, how, exitcode }))
app.on('workerShutdown', async () => {
  await sleep(50)
  told('workerShutdown', null)
})

export default app
