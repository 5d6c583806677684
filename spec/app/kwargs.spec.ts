import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { MemoryWorker } from '../support/memoryWorker.js'

describe('a task that takes one object', () => {
  let memory: MemoryWorker
  const seen: unknown[] = []

  beforeEach(async () => {
    seen.length = 0
    memory = await MemoryWorker.start((app) => {
      app.on('taskReceived', ({ request: { args, kwargs } }) => void seen.push({ args, kwargs }))
      app.task('free', { kwargs: true }, (given: { readonly a?: number }) => given)
      app.task('bound', { kwargs: true, bind: true }, (self, { a }: { readonly a: number }) => [self.request.task, a])
      app.task('named', { kwargs: true, params: ['url', 'depth?'] }, (given: { url: string; depth?: number }) => given)
      const schema = z.object({ event: z.object({ id: z.number() }), dryRun: z.boolean().default(false) })
      app.task('checked', { kwargs: true, schema }, async ({ dryRun, event }) => [event.id, dryRun])
    })
  })

  afterEach(() => memory.stop())

  it('is sent keyword arguments by delay and applyAsync', async () => {
    const task = memory.app.tasks.get('free') as unknown as {
      delay(kwargs?: object, ...more: unknown[]): Promise<unknown>
    }
    await task.delay({ a: 1 })
    await task.delay()
    expect(await memory.outcome('free', [], { a: 2 })).toEqual(['SUCCESS', { a: 2 }])
    expect(seen).toEqual([
      { args: [], kwargs: { a: 1 } },
      { args: [], kwargs: {} },
      { args: [], kwargs: { a: 2 } },
    ])
    await expect(task.delay({ a: 1 }, 2)).rejects.toThrow(
      'free.delay: expected one object with the keyword arguments, and got 2 arguments',
    )
    await expect(task.delay(5 as never)).rejects.toThrow('free: the keyword arguments are 5: expected an object')
  })

  it.each([
    ['free', [1], {}, 'free() takes 0 positional arguments but 1 was given'],
    ['bound', [1], {}, 'bound() takes 1 positional argument but 2 were given'],
    ['named', [], {}, "named() missing 1 required positional argument: 'url'"],
    ['named', ['u'], { url: 'v' }, "named() got multiple values for argument 'url'"],
    ['named', [], { url: 'u', other: 1 }, "named() got an unexpected keyword argument 'other'"],
    ['named', ['u', 2, 3], {}, 'named() takes from 1 to 2 positional arguments but 3 were given'],
    ['checked', [], { event: { id: 'x' } }, 'checked got invalid arguments: event.id: '],
  ])('fails as in Python for a wrong call: %s %p %p', async (name, args, kwargs, text) => {
    const [state, error] = await memory.outcome(name, args, kwargs)
    expect([state, (error as Error).message]).toEqual(['FAILURE', expect.stringContaining(text)])
  })

  it.each([
    ['named', ['u'], {}, { url: 'u' }],
    ['named', ['u', 3], {}, { url: 'u', depth: 3 }],
    ['named', ['u'], { depth: 3 }, { url: 'u', depth: 3 }],
    ['bound', [], { a: 1 }, ['bound', 1]],
    ['checked', [], { event: { id: 7 } }, [7, false]],
    ['free', [], { __proto__: null, constructor: 1 }, { constructor: 1 }],
  ])('gets its arguments by name: %s %p %p', async (name, args, kwargs, result) => {
    expect(await memory.outcome(name, args, kwargs)).toEqual(['SUCCESS', result])
  })
})
