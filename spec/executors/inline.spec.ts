import { getEventListeners, once } from 'node:events'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from '@jest/globals'
import type { TaskContext } from '../../lib/app/context.js'
import { isSoftTimeLimit } from '../../lib/app/limitErrors.js'
import { Replace } from '../../lib/app/predicate.js'
import { systemClock } from '../../lib/clock.js'
import { InlineExecutor } from '../../lib/executors/inline.js'
import { decode } from '../../lib/protocol/decode.js'
import { Request } from '../../lib/request/request.js'
import type { Outcome } from '../../lib/trace/outcome.js'
import { FakeDelivery } from '../support/fakeDelivery.js'
import { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { waitFor } from '../support/waitFor.js'

const LIMITS = { accept: ['json'], maxSize: 1e6, maxNesting: 100 }

const app = new OfflineApp('inline')
const heard: AbortSignal[] = []
let released: () => void = () => undefined
app.task('wait', { bind: true }, (self: TaskContext) => sleep(60_000, undefined, { signal: self.signal }))
app.task('tidy', { bind: true }, async (self: TaskContext) => {
  await once(self.signal, 'abort')
  return isSoftTimeLimit(self.signal.reason)
})
app.task('listen', { bind: true }, async (self: TaskContext) => {
  self.signal.addEventListener('abort', () => undefined)
  heard.push(self.signal)
})
app.task('tell', { bind: true }, async (self: TaskContext) => {
  if (!self.signal.aborted) await once(self.signal, 'abort')
  return self.signal.reason
})
app.task('deaf', () => new Promise<void>((resolve) => (released = resolve)))
let replacements = 0
app.task('replaced', async () => {
  await new Promise<void>((resolve) => (released = resolve))
  throw new Replace(async () => void replacements++)
})
app.task('again', { bind: true }, async (self: TaskContext) => {
  await once(self.signal, 'abort')
  throw self.retry({ countdown: 0 })
})

/** Resolves once V8 has freed what nobody holds: a WeakRef keeps its object until the end of the turn. */
async function collected(): Promise<void> {
  setFlagsFromString('--expose-gc')
  await nextTurn()
  runInNewContext('gc')()
}

/** The async pool, and what it has said. */
function executor() {
  const log = new MemoryLog()
  const strays: number[] = []
  const onStray = (by: number): void => void strays.push(by)
  const pool = new InlineExecutor({
    app,
    hooks: app.hooks,
    resourceTimeoutMs: 30_000,
    clock: systemClock,
    log,
    hostname: 'w@spec',
    size: 2,
    onStray,
  })
  const request = (name: string): Request => {
    const task = app.tasks.get(name)
    if (!task) throw new Error(`no task ${name}`)
    const { properties, content } = taskMessage(name)
    return new Request(decode(properties, content, LIMITS), task, new FakeDelivery(properties, content), null, false, 0)
  }
  const run = async (request: Request, soft: number | null, hard: number | null): Promise<Outcome> =>
    pool.run(request, { limits: { soft, hard }, log, onStart: () => undefined, updateState: async () => undefined })
  return { log, pool, request, run, strays }
}

describe('the async pool', () => {
  it('aborts the signal of a task at its soft limit, which the task may catch or not', async () => {
    const { log, request, run } = executor()
    const wait = request('wait')
    expect(await run(request('tidy'), 0.05, null)).toMatchObject({ state: 'SUCCESS', result: true })
    expect(await run(wait, 0.05, null)).toMatchObject({
      state: 'FAILURE',
      kind: 'unexpected',
      error: { excType: 'SoftTimeLimitExceeded', excModule: 'billiard.exceptions', args: [0.05] },
    })
    expect(log.of('WARNING')).toContain(`Soft time limit (0.05s) exceeded for ${wait.label}`)
  })

  it('fails a task at its hard limit, and counts it as a stray until it ends', async () => {
    const { log, request, run, strays } = executor()
    const deaf = request('deaf')
    expect(await run(deaf, null, 0.05)).toMatchObject({ state: 'FAILURE', kind: 'timeout', error: { args: [0.05] } })
    expect(log.of('ERROR')).toEqual([`Hard time limit (0.05s) exceeded for ${deaf.label}`])
    expect(strays).toEqual([1])
    released()
    await waitFor(() => strays.length === 2, { what: 'the stray to end' })
    expect(strays).toEqual([1, -1])
  })

  it('sends no replacement of a task once its end is known, or its message is delivered again', async () => {
    const { request, run, strays } = executor()
    replacements = 0
    const stray = request('replaced')
    expect(await run(stray, 0.01, 0.02)).toMatchObject({ state: 'FAILURE', kind: 'timeout' })
    released()
    await waitFor(() => strays.length === 2, { what: 'the stray to end' })
    const ends: ReadonlyArray<(request: Request) => void> = [
      (request) => {
        request.terminatedBy = 15
      },
      (request) => {
        Object.assign(request, { acksLate: true })
        ;(request.delivery as FakeDelivery).live = false
      },
    ]
    for (const end of ends) {
      const running = request('replaced')
      const outcome = run(running, null, null)
      end(running)
      released()
      expect(await outcome).toMatchObject({ state: 'IGNORED' })
    }
    expect(replacements).toBe(0)
    const outcome = run(request('replaced'), null, null)
    released()
    expect([await outcome, replacements]).toMatchObject([{ state: 'IGNORED' }, 1])
  })

  it('gives the next try of the same request its limit again', async () => {
    const { log, request, run } = executor()
    const again = request('again')
    for (const tries of [1, 2]) {
      const startedAt = performance.now()
      expect(await run(again, 0.1, null)).toMatchObject({ state: 'RETRY' })
      expect(performance.now() - startedAt).toBeGreaterThan(95)
      expect(log.of('WARNING')).toHaveLength(tries)
    }
  })

  it('still tells a request under limits that the worker wants it to end', async () => {
    const { request, run } = executor()
    const wait = request('wait')
    const outcome = run(wait, 10, 20)
    wait.abort(new Error('the worker is shutting down'))
    expect(await outcome).toMatchObject({ state: 'ABORTED' })
  })

  it('keeps nothing of a task that listened to its signal under limits, once it has ended', async () => {
    const { request, run } = executor()
    const listen = request('listen')
    for (let tries = 0; tries < 3; tries++) expect(await run(listen, 10, 20)).toMatchObject({ state: 'SUCCESS' })
    expect(getEventListeners(listen.signal, 'abort')).toEqual([])
    const signals = heard.splice(0).map((signal) => new WeakRef(signal))
    await collected()
    expect(signals.map((signal) => signal.deref() === undefined)).toEqual([true, true, true])
  })

  it('hands a task under limits the reason for which its request ends, also if that was before', async () => {
    const { request, run } = executor()
    const reason = new Error('the worker is shutting down')
    const early = request('tell')
    early.abort(reason)
    expect(await run(early, 10, 20)).toMatchObject({ state: 'SUCCESS', result: reason })
    const running = request('tell')
    const outcome = run(running, 10, 20)
    running.abort(reason)
    expect(await outcome).toMatchObject({ state: 'SUCCESS', result: reason })
  })

  it('describes itself', () => {
    const { pool } = executor()
    pool.resize(3)
    expect(pool.describe()).toEqual({
      implementation: 'celeriac:async',
      'max-concurrency': 3,
      processes: [process.pid, process.pid, process.pid],
    })
  })
})
