import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Celery, type TaskContext } from '../../lib/index.js'
import { type TestWorker, testWorker } from '../../lib/testing/testWorker.js'

describe('celery.chunks', () => {
  let app: Celery
  let here: TestWorker

  beforeEach(async () => {
    app = new Celery('chunks', {})
    app.task('add', (x: number, y: number) => x + y)
    here = await testWorker(app)
  })

  afterEach(() => here.stop())

  const add = { task: 'add', args: [], kwargs: {}, options: {}, subtask_type: null, immutable: false }
  const pairs = [
    [1, 1],
    [2, 2],
    [3, 3],
  ]
  const chunks = async (it: unknown, n: unknown): Promise<unknown> =>
    (await app.sendTask('celery.chunks', [add, it, n])).get({ timeout: 10 })

  it.each([
    [1, [[pairs[0]], [pairs[1]], [pairs[2]]]],
    [2, [[pairs[0], pairs[1]], [pairs[2]]]],
    [1e300, [pairs]],
  ])('sends a task for each %d items', async (n, parts) => {
    await chunks(pairs, n)
    expect(here.sent.of('celery.starmap').map(({ kwargs }) => kwargs.it)).toEqual(parts)
  })

  it.each([0.001, 0.5, -1, '1', true, null])('refuses chunks of %p items, and sends nothing', async (n) => {
    await expect(chunks(pairs, n)).rejects.toThrow('celery.chunks: `n` must be an integer of at least 1')
    expect(here.sent.of('celery.starmap')).toEqual([])
  })

  it.each([{ length: 3 }, 'abc', 3, null])('refuses %p for a list', async (it) => {
    await expect(chunks(it, 1)).rejects.toThrow('celery.chunks: `it` must be a list')
  })
})

describe('celery.map', () => {
  it('is tried again, or replaced, where its task returns that', async () => {
    const app = new Celery('map', {})
    const again = app.task('again', { bind: true }, (self: TaskContext, n: number): unknown =>
      n === 2 && self.request.retries === 0 ? self.retry({ countdown: 0 }) : n,
    )
    const other = app.task('other', { bind: true }, (self: TaskContext, n: number): unknown =>
      self.replace(app.signature('again', [n])),
    )
    const here = await testWorker(app)
    expect(await (await again.map([1, 2, 3]).delay()).get({ timeout: 10 })).toEqual([1, 2, 3])
    expect(await (await other.starmap([[7]]).delay()).get({ timeout: 10 })).toBe(7)
    await here.stop()
  })
})

describe('celery.accumulate', () => {
  let app: Celery
  let here: TestWorker

  beforeEach(async () => {
    app = new Celery('accumulate', {})
    here = await testWorker(app)
  })

  afterEach(() => here.stop())

  const accumulate = async (args: readonly unknown[], kwargs: Record<string, unknown> = {}): Promise<unknown> =>
    (await app.sendTask('celery.accumulate', args, kwargs)).get({ timeout: 10 })

  it('takes any number of arguments, and keyword arguments that are not its own', async () => {
    const args = Array.from({ length: 300 }, (_, at) => at)
    expect(await accumulate(args)).toEqual(args)
    expect(await accumulate(args, { index: 299, more: 1 })).toBe(299)
    expect(await accumulate(args, { index: -300 })).toBe(0)
  })

  it.each([1, -2, 300])('fails for an argument that there is not: %d', async (index) => {
    await expect(accumulate(['only'], { index })).rejects.toMatchObject({
      excType: 'IndexError',
      message: 'tuple index out of range',
    })
  })

  it.each(['0', 0.5])('fails for an index that is not an integer: %p', async (index) => {
    await expect(accumulate(['only'], { index })).rejects.toThrow('celery.accumulate: `index` must be an integer')
  })
})

describe('self.replace and self.addToChord', () => {
  it('say what they expected in place of a value that is not a signature', async () => {
    const app = new Celery('replace', {})
    const add = app.task('add', (x: number, y: number) => x + y)
    app.task('replaced', { bind: true }, (self) => {
      throw self.replace(add as never)
    })
    app.task('joined', { bind: true }, (self) => self.addToChord('add' as never))
    const here = await testWorker(app)
    const end = async (name: string): Promise<unknown> => (await app.sendTask(name)).get({ timeout: 10 })
    try {
      await expect(end('replaced')).rejects.toThrow(
        'self.replace: expected a signature, such as task.s(1), and got <Task>; write add.s(...)',
      )
      await expect(end('joined')).rejects.toThrow('self.addToChord: expected a signature, such as task.s(1)')
    } finally {
      await here.stop()
    }
  })
})
