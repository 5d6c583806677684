/* The tasks that Python's client and celery-node's send in the peer specs. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Celery, Ignore, Reject, SoftTimeLimitExceeded, type TaskContext } from 'celeriac'

class PaymentError extends Error {
  static readonly excType = 'PaymentError'
  static readonly excModule = 'shop.errors'
}

const app = new Celery('peers', { result_extended: process.env.PEERS_EXTENDED === '1' })

app.task('peers.echo', (value: unknown) => value)
app.task('peers.add', { params: ['x', 'y'] }, (x: number, y = 10) => x + y)
app.task('peers.ignored', { ignoreResult: true }, () => 'nobody sees this')

app.task('peers.fail', (kind: string, message: string) => {
  if (kind === 'TypeError') throw new TypeError(message)
  if (kind === 'RangeError') throw new RangeError(message)
  if (kind === 'PaymentError') throw new PaymentError(message)
  throw new Error(message)
})

app.task('peers.flaky', { bind: true, maxRetries: 5 }, (self: TaskContext, failures: number) => {
  if (self.request.retries < failures) throw self.retry({ countdown: 0.05, exc: new TypeError('not yet') })
  return self.request.retries
})

app.task('peers.never', { bind: true, maxRetries: 3 }, (self: TaskContext) => {
  throw self.retry({ countdown: 0.01, exc: new RangeError('never') })
})

app.task('peers.progress', { bind: true, trackStarted: true }, async (self: TaskContext, ms: number) => {
  await sleep(ms)
  await self.updateState({ state: 'PROGRESS', meta: { done: 1 } })
  await sleep(ms)
  return 'done'
})

app.task('peers.now', () => Date.now() / 1000)

app.task('peers.sleep', { bind: true, acksLate: true }, async (self: TaskContext, ms: number) => {
  await sleep(ms, undefined, { signal: self.signal })
  return 'slept'
})

app.task('peers.tidy', { bind: true, softTimeLimit: 0.2, timeLimit: 5 }, async (self: TaskContext) => {
  await once(self.signal, 'abort')
  return self.signal.reason instanceof SoftTimeLimitExceeded ? 'tidied' : 'something else'
})

app.task('peers.stubborn', { timeLimit: 0.3 }, async () => {
  await sleep(1500)
})

app.task('peers.drop', { acksLate: true }, () => {
  throw new Reject('no')
})

app.task('peers.leave', () => {
  throw new Ignore()
})

export default app
