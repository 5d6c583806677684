import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Celery } from '../../lib/index.js'
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
