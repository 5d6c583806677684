import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Celery, chain, chord, GroupResult, group } from '../../lib/index.js'
import { type TestWorker, testWorker } from '../../lib/testing/testWorker.js'

const WAIT = { timeout: 20 }

/** How many members a group has is no part of its type, and what comes after it takes a list. */
describe('a group of one gives a list, wherever it is', () => {
  const app = new Celery('one', {})
  const add = app.task('add', (x: number, y: number) => x + y)
  const double = app.task('double', (n: number) => 2 * n)
  const count = app.task('count', (all: readonly number[]) => (Array.isArray(all) ? all.length : -1))
  let worker: TestWorker

  beforeAll(async () => {
    worker = await testWorker(app)
  })

  afterAll(() => worker.stop())

  const one = group([add.s(1, 2)])
  const doubled = group([double.s()])

  it.each([
    ['first, by chain', () => chain(one, count.s()), 1],
    ['first, by pipe', () => one.pipe(count.s()), 1],
    ['in the middle', () => chain(add.s(1, 2), doubled, count.s()), 1],
    ['in the middle, by pipe', () => add.s(1, 2).pipe(doubled).pipe(count.s()), 1],
    [
      'after a chord',
      () =>
        chord([add.s(1, 2)], count.s())
          .pipe(group([double.s()]))
          .pipe(count.s()),
      1,
    ],
    ['twice', () => chain(one, group([count.s()]), count.s()), 1],
    ['in a chain within a chain', () => chain(chain(add.s(1, 2), doubled), count.s()), 1],
  ])('%s', async (_, make, gives) => {
    expect(await (await make().delay()).get(WAIT)).toBe(gives)
  })

  it.each([
    ['by chain', () => chain(add.s(1, 2), doubled)],
    ['by pipe', () => add.s(1, 2).pipe(doubled)],
    ['in a chain within a chain', () => chain(add.s(0, 1), chain(add.s(2), doubled))],
    ['after a chord', () => chord([add.s(1, 2)], count.s()).pipe(group([add.s(5)]))],
  ])('at the end, whose result is that of a group: %s', async (_, make) => {
    const sig = make()
    const before = sig.freeze()
    const result = await sig.delay()
    expect(result).toBeInstanceOf(GroupResult)
    expect(result.toJSON()).toEqual(before.toJSON())
    expect(await result.get(WAIT)).toEqual([6])
  })

  it('around a chain that ends in a group', async () => {
    const result = await group([chain(add.s(1, 2), group([double.s(), double.s()]))]).delay()
    expect(await result.get(WAIT)).toEqual([[6, 6]])
  })

  it('in a header', async () => {
    const echo = app.task('echo', (all: readonly (readonly number[])[]) => all)
    const result = await chord([chain(add.s(1, 2), doubled)], echo.s()).delay()
    expect(await result.get(WAIT)).toEqual([[6]])
  })
})
