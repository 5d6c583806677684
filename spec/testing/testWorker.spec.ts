import { describe, expect, it } from '@jest/globals'
import { Celery, chain, chord, group, type TaskContext } from 'celeriac'
import { MemoryServer } from '../../lib/memory/server.js'
import { captureSent, runTask, testWorker } from '../../lib/testing/index.js'
import { waitFor } from '../support/waitFor.js'

function shop() {
  const app = new Celery('shop', {
    broker_url: 'amqp://127.0.0.1:1//',
    result_backend: 'redis://127.0.0.1:1/0',
    task_routes: { 'shop.mail': 'mail' },
  })
  const add = app.task('shop.add', (x: number, y: number) => x + y)
  const mail = app.task('shop.mail', async (to: string) => `sent to ${to}`)
  const order = app.task('shop.order', async (to: string) => (await mail.delay(to)).id)
  const flaky = app.task('shop.flaky', { bind: true }, (self: TaskContext) => {
    if (self.request.retries < 2) throw self.retry({ countdown: 0.001 })
    return self.request.retries
  })
  return { app, add, mail, order, flaky }
}

describe('testWorker', () => {
  it('runs what the app sends, whatever its broker and its backend are', async () => {
    const { app, add, flaky, mail, order } = shop()
    await using worker = await testWorker(app)
    expect(await (await add.delay(1, 2)).get({ timeout: 60 })).toBe(3)
    expect(await (await flaky.delay()).get({ timeout: 60 })).toBe(2)
    const id = await (await order.delay('me')).get({ timeout: 60 })
    expect(await app.asyncResult(String(id)).get({ timeout: 60 })).toBe('sent to me')
    expect(worker.sent.of(mail)).toMatchObject([{ id, args: ['me'], queue: 'mail' }])
    expect(worker.sent.tasks.map(({ name }) => name)).toEqual(['shop.add', 'shop.flaky', 'shop.order', 'shop.mail'])
    expect(worker.log.of('ERROR')).toEqual([])
  })

  it('consumes from where a function in task_routes, a task or a call sends to', async () => {
    const app = new Celery('routed', {
      task_routes: [(task, args) => (task === 'routed' ? { queue: `for-${String(args[0])}` } : null)],
      worker_enable_remote_control: false,
    })
    const routed = app.task('routed', (to: string) => to)
    const own = app.task('own', { queue: 'its-own' }, () => 'own')
    await using worker = await testWorker(app)
    const results = [await routed.delay('a'), await routed.delay('b'), await own.delay()]
    results.push(await own.applyAsync([], {}, { queue: 'another' }), await routed.delay('a'))
    expect(await Promise.all(results.map((result) => result.get({ timeout: 60 })))).toEqual([
      'a',
      'b',
      'own',
      'own',
      'a',
    ])
    expect(worker.sent.tasks.map(({ queue }) => queue)).toEqual(['for-a', 'for-b', 'its-own', 'another', 'for-a'])
    expect(worker.log.of('ERROR')).toEqual([])
  })

  it('consumes the queues that it is told to, and no other', async () => {
    const { add, app, mail } = shop()
    await using worker = await testWorker(app, { queues: 'mail' })
    await add.delay(1, 2)
    await (await mail.delay('me')).get({ timeout: 60 })
    expect(worker.sent.of(add)).toHaveLength(1)
    expect(worker.log.of('INFO').filter((line) => line.includes('shop.add['))).toEqual([])
    expect(worker.log.of('INFO').some((line) => line.startsWith('Started consuming'))).toBe(false)
  })

  it('consumes none but the queues of an app that lets no others be made', async () => {
    const app = new Celery('strict', {
      task_create_missing_queues: false,
      task_queues: ['own'],
      task_routes: { 'strict.*': 'own', 'other.*': 'of-others' },
    })
    const task = app.task('strict.task', () => 'ran')
    await using _ = await testWorker(app)
    expect(await (await task.delay()).get({ timeout: 60 })).toBe('ran')
  })

  it('takes an option that is undefined as not given', async () => {
    const { app, mail } = shop()
    await using worker = await testWorker(app, { queues: undefined, logger: undefined, logLevel: undefined })
    expect(worker.log.of('INFO')).not.toEqual([])
    expect(await (await mail.delay('me')).get({ timeout: 60 })).toBe('sent to me')
  })

  it('keeps what follows from what was sent: callbacks, steps of a chain, the body of a chord', async () => {
    const { add, app } = shop()
    const sum = app.task('shop.sum', { queue: 'sums' }, (all: readonly number[]) =>
      all.reduce((one, other) => one + other, 0),
    )
    const failing = app.task('shop.failing', () => {
      throw new Error('no')
    })
    const told = app.task('shop.told', (id: string) => id)
    await using worker = await testWorker(app)
    const size = await chain(add.s(1, 2), add.s(3)).link(add.s(4)).delay()
    expect(await size.get({ timeout: 60 })).toBe(6)
    const total = await chord([add.s(1, 1), add.s(2, 2)], sum.s()).delay()
    expect(await total.get({ timeout: 60 })).toBe(6)
    const failed = await failing.applyAsync([], {}, { linkError: told.s() })
    await failed.get({ timeout: 60, propagate: false })
    await waitFor(() => worker.sent.of(told).length > 0, { what: 'the error callback' })
    expect(worker.sent.of(add).map(({ args }) => args)).toEqual([
      [1, 2],
      [3, 3],
      [6, 4],
      [1, 1],
      [2, 2],
    ])
    expect(worker.sent.of(sum)).toMatchObject([{ id: total.id, args: [[2, 4]], queue: 'sums' }])
    expect(worker.sent.of(told)).toMatchObject([{ args: [failed.id] }])
  })

  it('takes options of a worker', async () => {
    const { app } = shop()
    const order: string[] = []
    const note = app.task('note', (name: string) => void order.push(name))
    await using worker = await testWorker(app, { concurrency: 1 })
    const sent = []
    for (const name of ['a', 'b', 'c']) sent.push(await note.delay(name))
    for (const one of sent) await one.get({ timeout: 60 })
    expect([order, worker.worker.readiness]).toEqual([['a', 'b', 'c'], []])
    await expect(testWorker(app, { concurency: 1 } as never)).rejects.toThrow('did you mean concurrency?')
  })

  it('shares nothing with another one, and leaves no broker behind', async () => {
    const known = (MemoryServer as unknown as { known: Map<string, unknown> }).known.size
    for (let round = 0; round < 3; round++) {
      const [one, other] = [shop(), shop()]
      const workers = [await testWorker(one.app), await testWorker(other.app)]
      expect(await (await one.add.delay(round, 1)).get({ timeout: 60 })).toBe(round + 1)
      await other.add.applyAsync([1, 2], {}, { countdown: 3600 })
      expect(workers.map(({ sent }) => sent.tasks.length)).toEqual([1, 1])
      for (const worker of workers) await worker.stop()
    }
    expect((MemoryServer as unknown as { known: Map<string, unknown> }).known.size).toBe(known)
  })
})

describe('captureSent', () => {
  it('keeps what the app sends, and runs nothing', async () => {
    const { app, add, mail } = shop()
    const sent = captureSent(app)
    const eta = new Date(Date.now() + 60_000)
    const result = await add.applyAsync([1], { y: 2 } as never, { eta, headers: { tenant: 't' } })
    await mail.delay('me')
    expect(sent.tasks).toMatchObject([
      { id: result.id, name: 'shop.add', args: [1], kwargs: { y: 2 }, queue: 'celery', eta, parentId: null },
      { name: 'shop.mail', args: ['me'], queue: 'mail', eta: null, expires: null, priority: 0 },
    ])
    expect(sent.tasks[0]?.headers).toMatchObject({ tenant: 't', lang: 'js' })
    expect(sent.of('shop.mail')).toHaveLength(1)
    await expect(result.get()).rejects.toThrow(`task ${result.id} was captured: `)
    sent.clear()
    expect(sent.tasks).toEqual([])
    sent.stop()
    sent.stop()
  })

  it('keeps what tasks send that are run meanwhile, and nothing once it has ended', async () => {
    const { app, mail, order } = shop()
    const kept = (() => {
      using sent = captureSent(app)
      return sent
    })()
    const sent = captureSent(app)
    await runTask(order, ['me'])
    expect(sent.of(mail)).toHaveLength(1)
    expect(kept.tasks).toEqual([])
    sent.stop()
  })

  it('keeps the header of a chord that is sent, by a task as well', async () => {
    const { app, add } = shop()
    const sum = app.task('shop.sum', (all: readonly number[]) => all.length)
    const total = chord([add.s(1, 1), chain(add.s(2, 2), add.s(1))], sum.s())
    const tell = app.task('shop.tell', async () => (await total.delay()).id)
    const sent = captureSent(app)
    await chain(group(add.s(3, 3), add.s(4, 4)), sum.s()).delay()
    await runTask(tell, [])
    expect(sent.tasks.map(({ args }) => args)).toEqual([
      [3, 3],
      [4, 4],
      [1, 1],
      [2, 2],
    ])
    sent.stop()
  })
})
