import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from '@jest/globals'
import type { Middleware } from '../../lib/app/middleware.js'
import type { Task } from '../../lib/app/task.js'
import { FakeDelivery } from '../support/fakeDelivery.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp, OfflineLine } from '../support/offlineLine.js'

/** Runs a task, and tells what the log says of its end. */
async function endOf(app: OfflineApp, task: string, options = {}): Promise<string> {
  const line = new OfflineLine(app)
  const { properties, content } = taskMessage(task, { id: 'x', ...options })
  line.deliverRaw(new FakeDelivery(properties, content, 'spec'))
  while (line.line.state.running.size > 0) await line.turn()
  const ends = line.log.lines.map(({ message }) => message).filter((text) => !text.endsWith(' received'))
  return ends.join('\n').replace(/succeeded in [\d.e-]+s/, 'succeeded in 0s')
}

describe('app.use', () => {
  it('goes around the handler in the order of its calls, and sees the request, the result and the error', async () => {
    const app = new OfflineApp('spec')
    const seen: unknown[] = []
    const around =
      (name: string): Middleware =>
      async (request, next) => {
        seen.push([name, request.task, request.id, request.args])
        try {
          const result = await next()
          seen.push([name, result])
          return `${name}(${result})`
        } catch (thrown) {
          seen.push([name, (thrown as Error).message])
          throw thrown
        }
      }
    expect(app.use(around('outer')).use(around('inner'))).toBe(app)
    app.task('ok', (n: number) => n + 1)
    app.task('bad', () => {
      throw new RangeError('no')
    })
    expect(await endOf(app, 'ok', { args: [1] })).toBe("Task ok[x] succeeded in 0s: 'outer(inner(2))'")
    expect(seen).toEqual([
      ['outer', 'ok', 'x', [1]],
      ['inner', 'ok', 'x', [1]],
      ['inner', 2],
      ['outer', 'inner(2)'],
    ])
    seen.length = 0
    expect(await endOf(app, 'bad')).toBe("Task bad[x] raised unexpected: ValueError('no')")
    expect(seen.slice(2)).toEqual([
      ['inner', 'no'],
      ['outer', 'no'],
    ])
  })

  it('sees wrong arguments, too, and may leave the handler out', async () => {
    const app = new OfflineApp('spec')
    const seen: string[] = []
    app.use(async (request, next) => {
      if (request.task === 'skipped') return 'nothing'
      return next().catch((thrown) => {
        seen.push(thrown.message)
        throw thrown
      })
    })
    app.task('one', (_n: number) => 1)
    app.task('skipped', () => {
      throw new Error('it runs')
    })
    await endOf(app, 'one')
    expect(seen).toEqual(["one() missing 1 required positional argument: '_n'"])
    expect(await endOf(app, 'skipped')).toBe("Task skipped[x] succeeded in 0s: 'nothing'")
  })

  it('gives the handler a store that is its own', async () => {
    const app = new OfflineApp('spec')
    const store = new AsyncLocalStorage<string>()
    app.use((request, next) => store.run(request.id, next))
    app.task('which', async () => {
      await new Promise(setImmediate)
      return store.getStore()
    })
    expect(await endOf(app, 'which')).toBe("Task which[x] succeeded in 0s: 'x'")
  })

  it('fails a task whose middleware calls next twice, without a second run', async () => {
    const app = new OfflineApp('spec')
    let runs = 0
    app.use(async function twice(_, next) {
      await next()
      return next()
    })
    app.task('once', () => {
      runs++
    })
    expect(await endOf(app, 'once')).toBe(
      "Task once[x] raised unexpected: Exception('the middleware twice of app.use called next() twice: a task runs once; throw self.retry() to run it again')",
    )
    expect(runs).toBe(1)
  })

  it('ends a task by what it throws, and retries by a Retry that comes through', async () => {
    const app = new OfflineApp('spec')
    app.use((_, next) => next())
    app.task('again', { bind: true }, (self) => {
      throw self.retry({ countdown: 7 })
    })
    expect(await endOf(app, 'again')).toBe('Task again[x] retry: Retry in 7s')
  })

  it('refuses what is no function', () => {
    const app = new OfflineApp('spec')
    expect(() => app.use({} as Middleware)).toThrow('app.use({}): expected a function (request, next) => next()')
    const unused: Task | undefined = app.tasks.get('none')
    expect(unused).toBeUndefined()
  })
})
