import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { TaskContext } from '../../lib/app/context.js'
import { Celery, chain, chord, group, type Signature } from '../../lib/index.js'
import { type TestWorker, testWorker } from '../../lib/testing/testWorker.js'
import { MemoryWorker } from '../support/memoryWorker.js'
import { waitFor } from '../support/waitFor.js'

const WAIT = { timeout: 20 }

describe('a task adds to the chord that it is a member of', () => {
  let here: TestWorker
  let made = 0
  const app = new Celery('additions', {})
  const add = app.task('add', (x: number, y: number) => x + y)
  const tsum = app.task('tsum', (all: readonly number[]) => all.reduce((sum, one) => sum + one, 0))
  const sorted = app.task('sorted', (all: readonly unknown[]) => all.map((one) => JSON.stringify(one)).sort())
  const fail = app.task('fail', (_: number) => {
    throw new RangeError('boom')
  })
  const more = app.task('more', { bind: true }, async (self: TaskContext, ...what: Record<string, unknown>[]) => {
    for (const each of what) await self.addToChord(app.signature(each))
    return 'own'
  })
  const dict = (sig: Signature<never, unknown, unknown>): Record<string, unknown> => ({ ...sig.toJSON() })

  beforeEach(async () => {
    here = await testWorker(app, { concurrency: 4 })
  })

  afterEach(() => here.stop())

  it.each<[string, Signature<never, unknown, unknown>[], unknown[]]>([
    ['a task', [add.s(1, 1)], [2, 'own']],
    ['several', [add.s(1, 1), add.s(2, 2)], [2, 4, 'own']],
    ['a chain', [chain(add.s(1, 1), add.s(5))], [7, 'own']],
    ['a chord', [chord([add.s(1, 1), add.s(2, 2)], tsum.s())], [6, 'own']],
    ['a group, which is one member', [group(add.s(1, 1), add.s(2, 2))], [[2, 4], 'own']],
    ['a group of one', [group(add.s(1, 1))], [[2], 'own']],
    ['a group of none', [group([])], [[], 'own']],
    ['a chain that ends in a group', [chain(add.s(1, 1), group(add.s(1), add.s(2)))], [[3, 4], 'own']],
    ['one that adds another', [more.s(dict(add.s(1, 1)))], [2, 'own', 'own']],
  ])('%s, and the body waits for it', async (_, sigs, values) => {
    const result = await chord(group(more.s(...sigs.map(dict)), add.s(10, 10)), sorted.s()).delay()
    expect(await result.get(WAIT)).toEqual([...values, 20].map((one) => JSON.stringify(one)).sort())
  })

  it('which may be sent later, and the body waits for that', async () => {
    const added: Signature<readonly [], number>[] = []
    const name = `lazy${++made}`
    app.task(name, { bind: true }, async (self: TaskContext, sig: Record<string, unknown>) => {
      added.push(await self.addToChord(app.signature<number>(sig), { lazy: true }))
      return 'own'
    })
    const what = group(chain(add.s(1, 1), add.s(5)), add.s(2, 2))
    const result = await chord([app.signature(name, [dict(what)]), app.signature('add', [10, 10])], sorted.s()).delay()
    await waitFor(() => here.sent.of(add).length > 0 && added.length > 0, { what: 'the header' })
    await result.parent?.get(WAIT)
    expect(await result.state()).toBe('PENDING')
    const [late] = added
    const { id } = (await late?.delay()) ?? {}
    expect(await result.get(WAIT)).toEqual(['"own"', '20', '[7,4]'])
    // Its ids are known before it is sent, as in Celery.
    expect(id).toBe(late?.freeze().id)
  })

  it('as its child', async () => {
    const member = more.s(dict(add.s(1, 1))).set({ taskId: 'the-member' })
    await (await chord([member], sorted.s()).delay()).get(WAIT)
    const [added] = here.sent.of(add).filter(({ parentId }) => parentId === 'the-member')
    expect((await app.asyncResult('the-member').children()).map(({ id }) => id)).toContain(added?.id)
    expect(await app.asyncResult(added?.id ?? '').get(WAIT)).toBe(2)
  })

  it('and the chord fails with what was added', async () => {
    const result = await chord(group(more.s(dict(fail.s(1))), add.s(10, 10)), sorted.s()).delay()
    await expect(result.get(WAIT)).rejects.toThrow(/Dependency .* raised ValueError\('boom'\)/)
  })

  it("with Python's error where it is in none, or nothing would run", async () => {
    const alone = await more.s(dict(add.s(1, 1))).delay()
    expect(await alone.get({ ...WAIT, propagate: false })).toMatchObject({
      excType: 'ValueError',
      message: 'Current task is not member of any chord',
    })
    const empty = { ...dict(chain(add.s(1, 1), add.s(1))), kwargs: { tasks: [] } }
    const result = await chord([more.s(empty)], sorted.s()).delay()
    await expect(result.get(WAIT)).rejects.toThrow('Cannot add an empty workflow to a chord')
  })

  it('and what could not be sent is not waited for', async () => {
    app.task(`unsendable${++made}`, { bind: true }, async (self: TaskContext) => {
      const circle: unknown[] = []
      circle.push(circle)
      await self.addToChord(app.signature<number>('add', [circle, 1]))
    })
    const result = await chord([app.signature(`unsendable${made}`), app.signature('add', [1, 1])], sorted.s()).delay()
    await expect(result.get(WAIT)).rejects.toThrow(/Dependency .* raised TypeError/)
  })
})

it('a task can not add to a chord over a backend that counts none, and is told so', async () => {
  const seen: Error[] = []
  const spec = await MemoryWorker.start(
    (app) => {
      app.task('more', { bind: true }, async (self: TaskContext) => {
        await self.addToChord(app.signature('more')).catch((error) => seen.push(error))
      })
    },
    { config: { result_backend: 'rpc://' } },
  )
  try {
    const chord = { task: 'more', args: [], kwargs: {}, options: {}, subtask_type: null, immutable: false }
    await spec.app.signature({ ...chord, options: { group_id: 'group', chord } }).delay()
    await waitFor(() => seen.length > 0, { what: 'the error' })
    expect(seen.map(({ name, message }) => [name, message])).toEqual([
      ['NotImplementedError', expect.stringMatching(/^Backend does not support add_to_chord: rpc:/)],
    ])
  } finally {
    await spec.stop()
  }
})
