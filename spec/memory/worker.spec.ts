import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { TaskContext } from '../../lib/app/context.js'
import { Ignore, Reject } from '../../lib/app/predicate.js'
import type { Task } from '../../lib/app/task.js'
import type { Celery } from '../../lib/celery.js'
import { MemoryWorker, type MemoryWorkerOptions } from '../support/memoryWorker.js'
import { Gated } from '../support/offlineLine.js'
import { waitFor } from '../support/waitFor.js'

/** Cases to one yardstick. */
const EACH = 4
/** A yardstick takes 60 ms on an idle machine; the cases took 0.4 of one in the middle, 101 of them 4.3 s. Such short times scatter on a busy one. */
const MOST_YARDSTICKS = 1.2
const WORK = Buffer.alloc(300_000)

/** Milliseconds that a little work takes with many short waits in it, as the cases have: more on a busy machine, as they do. */
async function yardstick(): Promise<number> {
  const since = performance.now()
  for (let round = 0; round < 10; round++) {
    await pause(5)
    createHash('sha256').update(WORK).digest()
  }
  return performance.now() - since
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}

class Fault extends Error {}

describe('a worker on memory://', () => {
  let here: MemoryWorker
  const others: MemoryWorker[] = []
  let begun = 0
  const spent: number[] = []
  const yardsticks: number[] = []

  beforeEach(async () => {
    if (spent.length % EACH === 0) yardsticks.push(await yardstick())
    begun = performance.now()
  })

  afterEach(async () => {
    for (const worker of [here, ...others.splice(0)]) await worker.stop()
    spent.push(performance.now() - begun)
  })

  afterAll(() => {
    expect(spent.length).toBeGreaterThanOrEqual(100)
    // The longest are those in which something else has the processor.
    expect(median(spent) / median(yardsticks)).toBeLessThan(MOST_YARDSTICKS)
  })

  const start = async (define: (app: Celery) => void, options: MemoryWorkerOptions = {}): Promise<MemoryWorker> => {
    here = await MemoryWorker.start(define, options)
    return here
  }
  const startOther = async (
    define: (app: Celery) => void,
    options: MemoryWorkerOptions = {},
  ): Promise<MemoryWorker> => {
    const other = await MemoryWorker.start(define, options)
    others.push(other)
    return other
  }

  describe('hands back what a task returns:', () => {
    it.each([
      ['nothing', null],
      ['true', true],
      ['false', false],
      ['zero', 0],
      ['a negative', -1],
      ['a fraction', 1.5],
      ['a large integer', 2 ** 50],
      ['an integer past 2^53', 2n ** 60n],
      ['a large negative', -(2 ** 31)],
      ['a huge number', 1e300],
      ['an empty text', ''],
      ['a text of digits', '007'],
      ['a text', 'naïve ☂ 漢 🎉'],
      ['a text with a zero', 'a\u0000b'],
      ['an empty list', []],
      ['a list', [1, 'two', null, [3]]],
      ['a list of nothing', [null, null]],
      ['a deep list', [[[[[[[[[[1]]]]]]]]]]],
      ['an empty object', {}],
      ['an object with such a key', { '☂': { '': 1 } }],
      ['an object', { a: 1, 'b c': { d: [null] } }],
      ['a long list', Array.from({ length: 1000 }, (_, index) => index)],
      ['a long text', 'x'.repeat(100_000)],
    ])('%s', async (_what, value) => {
      await start((app) => app.task('echo', (given: unknown) => given))
      expect(await here.outcome('echo', [value])).toEqual(['SUCCESS', value])
    })
  })

  describe('calls a task with', () => {
    const define = (app: Celery): void => {
      app.task('join', { params: ['a', 'b?', 'c?'] }, (...given: unknown[]) => given.map(String).join())
    }
    it.each([
      [[1], {}, '1'],
      [[1, 2], {}, '1,2'],
      [[1, 2, 3], {}, '1,2,3'],
      [[], { a: 1 }, '1'],
      [[1], { b: 2 }, '1,2'],
      [[], { b: 2, a: 1 }, '1,2'],
      [[1], { c: 3 }, '1,undefined,3'],
      [[null], {}, 'null'],
      [['x'], { c: 'z', b: 'y' }, 'x,y,z'],
    ])('%j and %j', async (args, kwargs, text) => {
      await start(define)
      expect(await here.outcome('join', args, kwargs)).toEqual(['SUCCESS', text])
    })

    it.each([
      ['too few', [], {}, /missing 1 required positional argument: 'a'/],
      ['too many', [1, 2, 3, 4], {}, /takes from 1 to 3 positional arguments but 4 were given/],
      ['unknown ones', [1], { d: 4 }, /got an unexpected keyword argument 'd'/],
      ['one twice', [1], { a: 1 }, /got multiple values for argument 'a'/],
    ])('%s never', async (_what, args, kwargs, message) => {
      await start(define)
      const [state, error] = await here.outcome('join', args, kwargs)
      expect(state).toBe('FAILURE')
      expect(error).toMatchObject({ excType: 'TypeError', message: expect.stringMatching(message) })
    })
  })

  describe('tells how a task ended:', () => {
    it.each([
      ['an Error', () => new Error('boom'), 'Exception', 'boom'],
      ['a TypeError', () => new TypeError('no'), 'TypeError', 'no'],
      ['a RangeError', () => new RangeError('far'), 'ValueError', 'far'],
      ['an error of its own', () => new Fault('mine'), 'Fault', 'mine'],
      ['a text', () => 'just text', 'Exception', 'just text'],
    ])('%s', async (_what, make, excType, message) => {
      await start((app) => app.task('fail', () => Promise.reject(make())))
      const [state, error] = await here.outcome('fail')
      expect([state, error]).toEqual(['FAILURE', expect.objectContaining({ excType, message })])
    })

    it('throws it where the result is asked for', async () => {
      await start((app) => app.task('fail', () => Promise.reject(new Fault('mine'))))
      const sent = await here.app.sendTask('fail')
      await expect(sent.get({ timeout: 60 })).rejects.toThrow('mine')
      expect(await sent.traceback()).toContain('mine')
      expect([await sent.failed(), await sent.successful(), await sent.ready()]).toEqual([true, false, true])
    })

    it.each([
      ['ignored', () => new Ignore()],
      ['rejected', () => new Reject()],
    ])('%s, and then there is nothing', async (_what, make) => {
      let runs = 0
      await start((app) => {
        app.task('end', () => {
          runs++
          throw make()
        })
        app.task('after', () => 'after')
      })
      const sent = await here.app.sendTask('end')
      await here.outcome('after')
      await waitFor(() => runs === 1, { what: 'the run' })
      expect(await sent.state()).toBe('PENDING')
    })

    it('in states of its own on the way', async () => {
      const gate = new Gated()
      await start((app) =>
        app.task('work', { bind: true }, async (self: TaskContext) => {
          await self.updateState({ state: 'PROGRESS', meta: { done: 3 } })
          await gate.run('work')
          return 'done'
        }),
      )
      const sent = await here.app.sendTask('work')
      await waitFor(() => gate.started.length === 1, { what: 'the task to run' })
      expect([await sent.state(), await sent.result()]).toEqual(['PROGRESS', { done: 3 }])
      gate.end('work')
      expect(await sent.get({ timeout: 60 })).toBe('done')
    })

    it('as STARTED where that is asked for', async () => {
      const gate = new Gated()
      await start((app) => app.task('work', { trackStarted: true }, () => gate.run('work')))
      const sent = await here.app.sendTask('work')
      await waitFor(async () => (await sent.state()) === 'STARTED', { what: 'the state' })
      gate.end('work')
      expect(await sent.get({ timeout: 60 })).toBeNull()
    })

    it('no more once it is forgotten', async () => {
      await start((app) => app.task('echo', (value: unknown) => value))
      const sent = await here.app.sendTask('echo', [1])
      await sent.get({ timeout: 60 })
      await sent.forget()
      expect(await sent.state()).toBe('PENDING')
    })

    it('of a task that nobody has: nothing, and the next one runs', async () => {
      await start((app) => app.task('known', () => 'run'))
      await here.app.sendTask('unknown')
      expect(await here.outcome('known')).toEqual(['SUCCESS', 'run'])
      expect(here.log.of('ERROR').join()).toContain('unknown')
    })
  })

  describe('tries a task again', () => {
    it.each([1, 2, 3, 4, 5, 8, 10])('%i times', async (retries) => {
      const seen: number[] = []
      await start((app) =>
        app.task('flaky', { bind: true, maxRetries: 10 }, (self: TaskContext) => {
          seen.push(self.request.retries)
          if (self.request.retries < retries) throw self.retry({ countdown: 0 })
          return self.request.retries
        }),
      )
      expect(await here.outcome('flaky')).toEqual(['SUCCESS', retries])
      expect(seen).toEqual(Array.from({ length: retries + 1 }, (_, index) => index))
    })

    it.each([0, 1, 3])('%i times at most', async (maxRetries) => {
      let runs = 0
      await start((app) =>
        app.task('never', { bind: true, maxRetries }, (self: TaskContext) => {
          runs++
          throw self.retry({ countdown: 0 })
        }),
      )
      const [state, error] = await here.outcome('never')
      expect([state, runs]).toEqual(['FAILURE', maxRetries + 1])
      expect(error).toMatchObject({ excType: 'MaxRetriesExceededError' })
    })

    it.each([
      ['at once', (value: unknown) => value],
      ['by a promise', async (value: unknown) => value],
    ])('also where a retry, or what replaces it, is returned %s, as it may be in Python', async (_how, give) => {
      await start((app) => {
        app.task('double', (value: number) => 2 * value)
        app.task('again', { bind: true }, (self: TaskContext) =>
          give(self.request.retries === 0 ? self.retry({ countdown: 0 }) : 'ran twice'),
        )
        app.task('other', { bind: true }, (self: TaskContext) => give(self.replace(app.signature('double', [21], {}))))
      })
      expect(await here.outcome('again')).toEqual(['SUCCESS', 'ran twice'])
      expect(await here.outcome('other')).toEqual(['SUCCESS', 42])
    })

    it('and fails with the reason, where there is one', async () => {
      await start((app) =>
        app.task('never', { bind: true, maxRetries: 1 }, (self: TaskContext) => {
          throw self.retry({ countdown: 0, exc: new Fault('the reason') })
        }),
      )
      expect((await here.outcome('never'))[1]).toMatchObject({ excType: 'Fault', message: 'the reason' })
    })

    it('with other arguments', async () => {
      await start((app) =>
        app.task('count', { bind: true, maxRetries: null }, (self: TaskContext, left: number) => {
          if (left > 0) throw self.retry({ countdown: 0, args: [left - 1] })
          return self.request.retries
        }),
      )
      expect(await here.outcome('count', [4])).toEqual(['SUCCESS', 4])
    })

    it('by itself for the errors that it names', async () => {
      let runs = 0
      await start((app) =>
        app.task('auto', { autoretryFor: [Fault], retryKwargs: { countdown: 0 }, defaultRetryDelay: 0 }, () => {
          if (++runs < 3) throw new Fault('again')
          return runs
        }),
      )
      expect(await here.outcome('auto')).toEqual(['SUCCESS', 3])
    })

    it('and not for others', async () => {
      let runs = 0
      await start((app) =>
        app.task('auto', { autoretryFor: [Fault], defaultRetryDelay: 0 }, () => {
          runs++
          throw new TypeError('no')
        }),
      )
      expect((await here.outcome('auto'))[0]).toBe('FAILURE')
      expect(runs).toBe(1)
    })

    it('after its countdown, and others run meanwhile', async () => {
      const order: string[] = []
      await start((app) =>
        app.task('note', { bind: true, maxRetries: 3 }, (self: TaskContext, name: string) => {
          order.push(`${name}${self.request.retries}`)
          if (name === 'a' && self.request.retries === 0) throw self.retry({ countdown: 0.02 })
        }),
      )
      const first = await here.app.sendTask('note', ['a'])
      await here.outcome('note', ['b'])
      await first.get({ timeout: 60 })
      expect(order).toEqual(['a0', 'b0', 'a1'])
    })

    it('in another queue, with another priority and expiry, and with further headers', async () => {
      const seen: unknown[] = []
      const again = { countdown: 0, queue: 'later', priority: 7, expires: 3600, headers: { attempt: 'b', id: 'no' } }
      const at = Date.now()
      const define = (app: Celery): unknown =>
        app.task('move', { bind: true }, (self: TaskContext) => {
          const { deliveryInfo, expires, headers, id, retries } = self.request
          seen.push([id, retries, deliveryInfo.routingKey, deliveryInfo.priority, headers])
          if (retries === 0) throw self.retry(again)
          return Math.round(((expires?.getTime() ?? 0) - at) / 60_000)
        })
      await start(define)
      const sent = await here.app.sendTask('move', [], {}, { taskId: 'moves', headers: { attempt: 'a', tenant: 't' } })
      await waitFor(() => here.log.of('INFO').join().includes('moves] retry'), { what: 'the retry' })
      const other = await MemoryWorker.start(define, { brokerUrl: here.brokerUrl, queues: ['later'] })
      try {
        expect(await sent.get({ timeout: 60 })).toBe(60)
      } finally {
        await other.stop()
      }
      expect(seen).toEqual([
        ['moves', 0, 'celery', 0, { attempt: 'a', tenant: 't' }],
        ['moves', 1, 'later', 7, { attempt: 'b', tenant: 't' }],
      ])
    })

    it('with its id, its custom headers and its lineage', async () => {
      const seen: unknown[] = []
      await start((app) =>
        app.task('look', { bind: true }, (self: TaskContext) => {
          const { headers, id, rootId } = self.request
          seen.push([id, rootId, headers])
          if (self.request.retries === 0) throw self.retry({ countdown: 0 })
        }),
      )
      await here.outcome('look', [], {}, { taskId: 'look-1', headers: { tenant: 't' } })
      expect(seen[1]).toEqual(seen[0])
      expect(seen[0]).toEqual(['look-1', 'look-1', { tenant: 't' }])
    })
  })

  describe('keeps the order', () => {
    it.each([1, 20, 200])('of a queue with one slot: %i messages', async (count) => {
      const seen: number[] = []
      await start((app) => app.task('note', (n: number) => void seen.push(n)), { config: { worker_concurrency: 1 } })
      const sent = []
      for (let n = 0; n < count; n++) sent.push(await here.app.sendTask('note', [n]))
      await sent.at(-1)?.get({ timeout: 60 })
      expect(seen).toEqual(Array.from({ length: count }, (_, n) => n))
    })

    it.each([
      [1, 2],
      [2, 2],
      [3, 7],
      [4, 1],
      [4, 3],
      [8, 5],
      [16, 10],
      [16, 1],
      [16, 40],
    ])('of each key with %i slots and %i keys', async (slots, keys) => {
      const seen = new Map<number, number[]>()
      const running = new Set<number>()
      let overlaps = 0
      await start(
        (app) =>
          app.task('note', { params: ['key', 'n'], orderBy: 'kwargs.key' }, async (key: number, n: number) => {
            if (running.has(key)) overlaps++
            running.add(key)
            await new Promise(setImmediate)
            if (n % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
            running.delete(key)
            seen.set(key, [...(seen.get(key) ?? []), n])
          }),
        { config: { worker_concurrency: slots } },
      )
      const sent = []
      for (let n = 0; n < 60; n++) sent.push(await here.app.sendTask('note', [], { key: n % keys, n }))
      for (const one of sent) await one.get({ timeout: 60 })
      expect(overlaps).toBe(0)
      for (const [key, numbers] of seen) expect([key, numbers]).toEqual([key, [...numbers].sort((a, b) => a - b)])
    })

    it('of a key while its first message is tried again', async () => {
      const seen: string[] = []
      await start((app) =>
        app.task(
          'note',
          { bind: true, orderBy: 'args.0', maxRetries: 5 },
          (self: TaskContext, _key: string, n: number) => {
            seen.push(`${n}.${self.request.retries}`)
            if (n === 1 && self.request.retries < 2) throw self.retry({ countdown: 0.005 })
          },
        ),
      )
      const sent = [await here.app.sendTask('note', ['k', 1]), await here.app.sendTask('note', ['k', 2])]
      for (const one of sent) await one.get({ timeout: 60 })
      expect(seen).toEqual(['1.0', '1.1', '1.2', '2.0'])
    })

    it('of a key by its header, and by a setting', async () => {
      const gate = new Gated()
      await start((app) => app.task('run', (name: string) => gate.run(name)), {
        config: { task_order_by: { '*': 'headers.order_key' } },
      })
      const options = { headers: { order_key: 'k' } }
      const first = await here.app.sendTask('run', ['one'], {}, options)
      const second = await here.app.sendTask('run', ['two'], {}, options)
      const free = await here.app.sendTask('run', ['free'])
      await waitFor(() => gate.started.length === 2, { what: 'one of the key, and the other' })
      expect(gate.started).toEqual(['one', 'free'])
      gate.end('one')
      await first.get({ timeout: 60 })
      await waitFor(() => gate.started.length === 3, { what: 'the next of the key' })
      gate.end('two')
      gate.end('free')
      await second.get({ timeout: 60 })
      await free.get({ timeout: 60 })
    })

    it('of urgency, where the queue has priorities', async () => {
      const gate = new Gated()
      await start((app) => app.task('run', (name: string) => gate.run(name)), {
        queues: ['urgent'],
        config: { worker_concurrency: 1, task_queues: [{ name: 'urgent', max_priority: 9 }] },
      })
      const send = (name: string, priority: number) =>
        here.app.sendTask('run', [name], {}, { queue: 'urgent', priority })
      const sent = [await send('first', 0)]
      await waitFor(() => gate.started.length === 1, { what: 'the first' })
      for (const [name, priority] of [
        ['low', 1],
        ['high', 9],
        ['middle', 5],
      ] as const)
        sent.push(await send(name, priority))
      for (const name of ['first', 'high', 'middle', 'low']) {
        await waitFor(() => gate.started.includes(name), { what: name })
        gate.end(name)
      }
      for (const one of sent) await one.get({ timeout: 60 })
      expect(gate.started).toEqual(['first', 'high', 'middle', 'low'])
    })
  })

  describe('waits', () => {
    it.each([0.001, 0.01, 0.03, 0.05])('%d seconds for a countdown', async (countdown) => {
      let ran = 0
      await start((app) =>
        app.task('note', () => {
          ran = Date.now()
        }),
      )
      const since = Date.now()
      await here.outcome('note', [], {}, { countdown })
      expect(ran - since).toBeGreaterThanOrEqual(countdown * 1000 - 1)
    })

    it('for an ETA, and runs what has none meanwhile', async () => {
      const order: string[] = []
      await start((app) => app.task('note', (name: string) => void order.push(name)), {
        config: { worker_concurrency: 1 },
      })
      const later = await here.app.sendTask('note', ['later'], {}, { eta: new Date(Date.now() + 40) })
      await here.outcome('note', ['now'])
      await later.get({ timeout: 60 })
      expect(order).toEqual(['now', 'later'])
    })

    it('no slot and no place of the window for what is due far ahead', async () => {
      await start((app) => app.task('note', () => 'ran'), { config: { worker_eta_memory_limit: 0 } })
      const later = await here.app.sendTask('note', [], {}, { countdown: 0.05 })
      expect(here.worker.line.state.requests.size).toBe(0)
      expect(await later.get({ timeout: 60 })).toBe('ran')
    })

    it('not for what has expired', async () => {
      const gate = new Gated()
      await start((app) => app.task('run', (name: string) => gate.run(name)), { config: { worker_concurrency: 1 } })
      const first = await here.app.sendTask('run', ['first'])
      await waitFor(() => gate.started.length === 1, { what: 'the first' })
      const late = await here.app.sendTask('run', ['late'], {}, { expires: new Date(Date.now() - 1) })
      const next = await here.app.sendTask('run', ['next'])
      gate.end('first')
      await first.get({ timeout: 60 })
      await waitFor(() => gate.started.length === 2, { what: 'the next' })
      gate.end('next')
      await next.get({ timeout: 60 })
      expect([gate.started, ['PENDING', 'REVOKED']]).toEqual([
        ['first', 'next'],
        expect.arrayContaining([await late.state()]),
      ])
    })
  })

  describe('is used by', () => {
    it('a producer of another app', async () => {
      await start((app) => app.task('add', (a: number, b: number) => a + b))
      const producer = new (here.app.constructor as typeof Celery)('producer', {
        broker_url: here.brokerUrl,
        result_backend: 'cache+memory://',
      })
      const sent = await producer.sendTask('add', [1, 2])
      expect(await sent.get({ timeout: 60 })).toBe(3)
      await producer.close()
    })

    it('a producer that hears results as replies', async () => {
      const config = { result_backend: 'rpc://' }
      await start((app) => app.task('add', (a: number, b: number) => a + b), { config })
      const producer = new (here.app.constructor as typeof Celery)('producer', {
        broker_url: here.brokerUrl,
        ...config,
      })
      const sent = await producer.sendTask('add', [1, 2])
      expect(await sent.get({ timeout: 60 })).toBe(3)
      await producer.close()
    })

    it('its own tasks, which send others', async () => {
      await start((app) => {
        const child = app.task('child', (n: number) => n * 2)
        app.task('parent', async (n: number) => (await child.delay(n)).id)
      })
      const [, id] = await here.outcome('parent', [21])
      expect(await here.app.asyncResult(String(id)).get({ timeout: 60 })).toBe(42)
    })

    it.each(['delay', 'applyAsync', 'applyAsync by name', 'declare'] as const)('%s', async (way) => {
      let add: Task<[a: number, b: number], number> | undefined
      await start((app) => {
        add = app.task('add', { params: ['a', 'b'] }, (a: number, b: number) => a + b)
      })
      const declared = here.app.declare<(a: number, b: number) => number>('add')
      const ways = {
        delay: () => add?.delay(20, 22),
        applyAsync: () => add?.applyAsync([20, 22]),
        'applyAsync by name': () => add?.applyAsync([20], { b: 22 }),
        declare: () => declared.delay(20, 22),
      }
      expect(await (await ways[way]())?.get({ timeout: 60 })).toBe(42)
    })

    it.each([
      ['is kept', {}, {}, {}, 'SUCCESS'],
      ['is ignored as the task says', { ignoreResult: true }, {}, {}, 'PENDING'],
      ['is ignored as the app says', {}, { task_ignore_result: true }, {}, 'PENDING'],
      ['is ignored as the sender says', {}, {}, { ignoreResult: true }, 'PENDING'],
      ['is kept as the sender says', { ignoreResult: true }, {}, { ignoreResult: false }, 'SUCCESS'],
    ] as const)('a sender whose result %s', async (_, options, config, asked, state) => {
      let task: Task<[], number> | undefined
      await start(
        (app) => {
          task = app.task('one', options, () => 1)
        },
        { config },
      )
      const sent = await task?.applyAsync([], {}, asked)
      await waitFor(() => here.worker.line.state.endings.get('succeeded') === 1, { what: 'its end' })
      expect(await sent?.state()).toBe(state)
    })

    it('a task that is declared without a name is refused where it is declared', async () => {
      await start(() => undefined)
      expect(() => here.app.declare<() => void>('')).toThrow('declare needs the name of a task, such as "tasks.add"')
    })

    it('another worker on the same queue, which runs what it has no slot for', async () => {
      const gates = [new Gated(), new Gated()]
      const define =
        (gate: Gated | undefined) =>
        (app: Celery): void =>
          void app.task('run', (name: string) => gate?.run(name))
      const config = { worker_concurrency: 1, without_mingle: true }
      await start(define(gates[0]), { config })
      await startOther(define(gates[1]), { config, brokerUrl: here.brokerUrl })
      const sent = []
      for (const name of ['one', 'two']) sent.push(await here.app.sendTask('run', [name]))
      await waitFor(() => gates.every(({ started }) => started.length === 1), { what: 'both to work' })
      for (const gate of gates) for (const name of gate.started) gate.end(name)
      for (const one of sent) await one.get({ timeout: 60 })
    })

    it('two apps that share nothing but the process', async () => {
      await start((app) => app.task('who', () => 'first'))
      const other = await startOther((app) => app.task('who', () => 'second'))
      expect(await here.outcome('who')).toEqual(['SUCCESS', 'first'])
      expect(await other.outcome('who')).toEqual(['SUCCESS', 'second'])
    })

    it('queues by name, and only those that it consumes', async () => {
      const seen: string[] = []
      await start((app) => app.task('note', (name: string) => void seen.push(name)), { queues: ['a', 'b'] })
      await here.app.sendTask('note', ['lost'], {}, { queue: 'c' })
      await here.outcome('note', ['a'], {}, { queue: 'a' })
      await here.outcome('note', ['b'], {}, { queue: 'b' })
      expect(seen).toEqual(['a', 'b'])
    })

    it.each([
      ['acksLate', { acksLate: true }],
      ['sendEvents', { sendEvents: false }],
      ['rateLimit', { rateLimit: '1000/s' }],
      ['timeLimit', { timeLimit: 30, softTimeLimit: 20 }],
    ])('tasks with %s', async (_what, options) => {
      await start((app) => app.task('add', options, (a: number, b: number) => a + b))
      expect(await here.outcome('add', [1, 2])).toEqual(['SUCCESS', 3])
    })
  })

  describe('when it stops', () => {
    it('finishes what runs', async () => {
      const gate = new Gated()
      await start((app) => app.task('run', (name: string) => gate.run(name)))
      const sent = await here.app.sendTask('run', ['one'])
      await waitFor(() => gate.started.length === 1, { what: 'the task' })
      const stopped = here.worker.stop()
      gate.end('one')
      await stopped
      expect(await here.app.asyncResult(sent.id).state()).toBe('SUCCESS')
    })

    it('leaves the rest to the next worker, in order', async () => {
      const gate = new Gated()
      const config = { worker_concurrency: 1, worker_prefetch_multiplier: 4 }
      await start((app) => app.task('run', (name: string) => gate.run(name)), { config })
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await here.app.sendTask('run', [name])
      await waitFor(() => gate.started.length === 1, { what: 'the first' })
      const stopped = here.worker.stop()
      gate.end('a')
      await stopped
      const seen: string[] = []
      const next = await startOther((app) => app.task('run', (name: string) => void seen.push(name)), {
        brokerUrl: here.brokerUrl,
        config: { worker_concurrency: 1 },
      })
      await waitFor(() => seen.length === 5, { what: 'the others' })
      expect(seen).toEqual(['b', 'c', 'd', 'e', 'f'])
      expect(next.log.of('ERROR')).toEqual([])
    })

    it('keeps no timer, and none while it was idle but those of its own clockwork', async () => {
      const before = timers()
      await start((app) => app.task('echo', (value: unknown) => value))
      await here.outcome('echo', [1])
      await here.stop()
      expect(timers()).toBeLessThanOrEqual(before)
    })
  })
})

function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
}
