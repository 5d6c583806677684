import { beforeEach, describe, expect, it } from '@jest/globals'
import { currentRun } from '../../lib/app/current.js'
import type { Outlet } from '../../lib/app/outlet.js'
import { Celery } from '../../lib/celery.js'
import { MemoryBackend } from '../support/memoryBackend.js'

describe('the ways out that workers lend to their app', () => {
  let used: string[]

  const outlet = (name: string): Outlet => ({
    backend: new MemoryBackend(),
    route: () => ({ exchange: '', routingKey: 'q', priority: 0, queue: 'q' }),
    prepare: async () => undefined,
    send: async () => void used.push(name),
    close: async () => void used.push(`${name} closed`),
  })
  class OwnApp extends Celery {
    protected override open(): Outlet {
      return outlet('own')
    }
  }
  const inTaskOf = (worker: string, fn: () => Promise<unknown>): Promise<unknown> =>
    currentRun.run({ id: 'id', rootId: 'id', worker, children: [] }, fn)

  beforeEach(() => {
    used = []
  })

  it('are for the tasks of each; other code goes on by that of the app', async () => {
    const app = new OwnApp('spec')
    const takeBack = ['a', 'b'].map((worker) => app.lend(outlet(worker), { worker, onlyTasks: true }))
    const send = (): Promise<unknown> => app.sendTask('t')
    await inTaskOf('a', send)
    await inTaskOf('b', send)
    await send()
    takeBack[0]?.()
    await inTaskOf('a', send)
    takeBack[1]?.()
    await inTaskOf('a', send)
    await app.close()
    expect(used).toEqual(['a', 'b', 'own', 'b', 'own', 'own closed'])
  })

  it('are for all code where a worker has the process for itself, and are not the app to close', async () => {
    const app = new OwnApp('spec')
    const takeBack = app.lend(outlet('worker'), { worker: 'w' })
    await app.sendTask('t')
    await app.close()
    takeBack()
    await app.sendTask('t')
    expect(used).toEqual(['worker', 'own'])
  })
})
