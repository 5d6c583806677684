import { describe, expect, it } from '@jest/globals'
import { Celery, Ignore, Reject, Retry, type TaskContext } from 'celeriac'
import { z } from 'zod'
import { runTask, tryTask } from '../../lib/testing/index.js'

/** The server of nobody: whoever connects to it fails. */
const app = new Celery('spec', {
  broker_url: 'amqp://127.0.0.1:1//',
  result_backend: 'redis://127.0.0.1:1/0',
}).resource('db', { start: () => ({ kind: 'real', closed: false }) })
class Down extends Error {}

const add = app.task('add', (x: number, y = 10) => x + y)
const echo = app.task('echo', (value: unknown) => value)
const named = app.task('named', { params: ['url', 'depth?'] }, (url: string, depth = 1) => [url, depth])
const order = app.task('order', { kwargs: true, schema: z.object({ id: z.coerce.number() }) }, ({ id }) => id + 1)
const fetch = app.task(
  'fetch',
  { bind: true, maxRetries: 2, throws: [RangeError] },
  (self: TaskContext, how: string): string => {
    self.log.info(`try ${self.request.retries} of ${self.request.id}`)
    if (how === 'retry') throw self.retry({ countdown: 5, exc: new Down('it is away') })
    if (how === 'default') throw self.retry()
    if (how === 'fail') throw new Down('it is away')
    if (how === 'expected') throw new RangeError('too far')
    if (how === 'ignore') throw new Ignore()
    if (how === 'reject') throw new Reject('no', true)
    return `${how} ${self.request.headers.tenant} ${self.request.hostname}`
  },
)
const auto = app.task('auto', { autoretryFor: [Down], retryKwargs: { maxRetries: 1, countdown: 7 } }, () => {
  throw new Down('again')
})
const steps = app.task('steps', { bind: true }, async (self: TaskContext) => {
  await self.updateState({ state: 'PROGRESS', meta: { at: new Date(0), none: undefined } })
})
const parent = app.task('parent', async (n: number) => {
  const child = await add.applyAsync([n], {}, { countdown: 60, queue: 'other', priority: 3 })
  return child.id
})
const withDb = app.task('withDb', { bind: true }, (self) => self.resources.db)
const slow = app.task('slow', { bind: true, softTimeLimit: 0.02 }, (self: TaskContext) => untilAborted(self.signal))
const endless = app.task('endless', { timeLimit: 0.02 }, () => new Promise(() => undefined))
const stoppable = app.task('stoppable', { bind: true }, (self: TaskContext) => untilAborted(self.signal))

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

describe('runTask', () => {
  it('returns the result, typed', async () => {
    const sum: number = await runTask(add, [1, 2])
    expect(sum).toBe(3)
    expect(await runTask(add, [1])).toBe(11)
  })

  it.each([
    ['a date', new Date(0), new Date(0)],
    ['bytes', Buffer.from([0, 255]), Buffer.from([0, 255])],
    ['nothing', undefined, null],
    ['an object', { a: 1, none: undefined, toJSON: undefined }, { a: 1 }],
    ['a long integer', 2n ** 60n, 2n ** 60n],
  ])('takes arguments and result through JSON and back: %s', async (_, value, expected) => {
    const given = value
    const seen = await runTask(echo, [given])
    expect(seen).toEqual(expected)
    if (typeof given === 'object' && given !== null) expect(seen).not.toBe(given)
  })

  it('takes a result through JSON and back that no argument was', async () => {
    const own = { kept: 1, none: undefined }
    const shared = new Celery('own').task('shared', () => own)
    const seen = await runTask(shared, [])
    expect([seen, Object.keys(seen), seen === own]).toEqual([{ kept: 1 }, ['kept'], false])
  })

  it('binds arguments by name, and refuses what a worker refuses', async () => {
    expect(await runTask(named, [], { kwargs: { url: 'u', depth: 2 } })).toEqual(['u', 2])
    expect(await runTask(named, ['u'], { kwargs: {} })).toEqual(['u', 1])
    await expect(runTask(named, [], { kwargs: { link: 'u' } })).rejects.toThrow(
      "named() got an unexpected keyword argument 'link'",
    )
    // @ts-expect-error: the argument is a number
    expect(await runTask(add, ['a', 'b'])).toBe('ab')
  })

  it('takes one object for a task with kwargs, and checks it by its schema', async () => {
    const next: number = await runTask(order, { id: 7 })
    expect(next).toBe(8)
    await expect(runTask(order, { id: 'seven' as never })).rejects.toThrow(/order got invalid arguments: id: /)
  })

  it("throws the task's own error", async () => {
    await expect(runTask(fetch, ['fail'])).rejects.toThrow(Down)
    expect(await tryTask(fetch, ['fail'])).toMatchObject({
      state: 'FAILURE',
      expected: false,
      error: new Down('it is away'),
    })
    expect(await tryTask(fetch, ['expected'])).toMatchObject({ state: 'FAILURE', expected: true })
    await expect(runTask(fetch, ['ignore'])).rejects.toBeInstanceOf(Ignore)
    await expect(runTask(fetch, ['reject'])).rejects.toMatchObject({ reason: 'no', requeue: true })
    expect(await tryTask(fetch, ['reject'])).toMatchObject({ state: 'REJECTED' })
  })

  it('shows a retry, and the end of the retries', async () => {
    const ran = await tryTask(fetch, ['retry'])
    expect(ran).toMatchObject({ state: 'RETRY', countdown: 5, retry: { options: { exc: new Down('it is away') } } })
    expect(await tryTask(fetch, ['default'])).toMatchObject({ state: 'RETRY', countdown: 180 })
    await expect(runTask(fetch, ['retry'], { retries: 1 })).rejects.toBeInstanceOf(Retry)
    await expect(runTask(fetch, ['retry'], { retries: 2 })).rejects.toThrow(Down)
    expect(await tryTask(auto, [])).toMatchObject({ state: 'RETRY', countdown: 7 })
    await expect(runTask(auto, [], { retries: 1 })).rejects.toThrow('again')
  })

  it('gives the context that was asked for, and keeps the log', async () => {
    const options = { taskId: 'id-1', headers: { tenant: 't' }, hostname: 'w1@h', retries: 1 }
    const ran = await tryTask(fetch, ['ok'], options)
    expect(ran).toMatchObject({ state: 'SUCCESS', result: 'ok t w1@h' })
    expect(ran.log.of('INFO')).toEqual(['try 1 of id-1'])
  })

  it('keeps the states of its own, as others read them', async () => {
    const { state, states } = await tryTask(steps, [])
    expect([state, states]).toEqual(['SUCCESS', [{ state: 'PROGRESS', meta: { at: new Date(0) } }]])
  })

  it('keeps what the task sends, with the task as its parent', async () => {
    const ran = await tryTask(parent, [5], { taskId: 'id-2' })
    const [child] = ran.sent.tasks
    const due = expect.any(Date)
    expect(ran.sent.tasks).toHaveLength(1)
    expect(child).toMatchObject({ name: 'add', args: [5], queue: 'other', priority: 3, parentId: 'id-2', eta: due })
    expect(ran).toMatchObject({ state: 'SUCCESS', result: child?.id })
  })

  it('makes a failure of a result that has no form in JSON', async () => {
    const circle =
      app.tasks.get('circle') ??
      app.task('circle', () => {
        const value: Record<string, unknown> = {}
        value.self = value
        return value
      })
    await expect(runTask(circle, [])).rejects.toMatchObject({ code: 'CELERIAC_ENCODE_RESULT' })
  })

  it('opens the resources of the app for the run, or takes those that are given', async () => {
    expect(await runTask(withDb, [])).toEqual({ kind: 'real', closed: false })
    expect(await runTask(withDb, [], { resources: { db: { kind: 'fake', closed: true } } })).toMatchObject({
      kind: 'fake',
    })
    expect(app.resources.values).toEqual({})
  })

  it('runs middleware and hooks', async () => {
    const own = new Celery('own')
    const seen: string[] = []
    own.use(async ({ task }, next) => {
      seen.push(`before ${task}`)
      return [await next()]
    })
    own.on('taskPrerun', ({ task }) => void seen.push(`prerun ${task.name}`))
    own.on('taskPostrun', ({ state }) => void seen.push(`postrun ${state}`))
    const one = own.task('one', () => 1)
    expect(await runTask(one, [])).toEqual([1])
    expect(seen).toEqual(['prerun one', 'before one', 'postrun SUCCESS'])
  })

  it('heeds time limits and the signal', async () => {
    await expect(runTask(slow, [])).rejects.toMatchObject({ name: 'SoftTimeLimitExceeded' })
    await expect(runTask(endless, [])).rejects.toMatchObject({ name: 'TimeLimitExceeded' })
    const controller = new AbortController()
    const stopped = tryTask(stoppable, [], { signal: controller.signal })
    setImmediate(() => controller.abort(new Error('the worker stops')))
    expect(await stopped).toMatchObject({ state: 'ABORTED', error: new Error('the worker stops') })
  })

  it('runs many at once, and mixes nothing up', async () => {
    const runs = Array.from({ length: 50 }, (_, n) => tryTask(parent, [n]))
    const all = await Promise.all(runs)
    expect(all.map(({ sent }) => sent.tasks.map(({ args }) => args))).toEqual(all.map((_, n) => [[n]]))
  })

  it.each([
    ['a function', () => 1],
    ['a name', 'add'],
    ['nothing', undefined],
    ['a declared task', app.declare<() => void>('elsewhere')],
  ])('refuses %s in the place of a task', async (_, what) => {
    await expect(runTask(what as never, [] as never)).rejects.toThrow('expected a task that app.task() has returned')
  })

  it('refuses arguments that have no form in JSON', async () => {
    await expect(runTask(echo, [Number.NaN])).rejects.toThrow(TypeError)
  })
})
