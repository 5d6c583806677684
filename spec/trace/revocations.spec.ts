import { describe, expect, it } from '@jest/globals'
import type { ResultMeta } from '../../lib/protocol/result.js'
import { Revocations } from '../../lib/trace/revocations.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'
import { waitFor } from '../support/waitFor.js'

/** A store that answers when it is told to. */
class Store {
  readonly asked: ResultMeta[] = []
  most = 0
  private readonly open: { resolve: () => void; reject: (error: Error) => void }[] = []

  readonly storeUnlessReady = (meta: ResultMeta): Promise<void> => {
    this.asked.push(meta)
    return new Promise((resolve, reject) => {
      this.open.push({ resolve, reject })
      this.most = Math.max(this.most, this.open.length)
    })
  }

  answer(error?: Error): void {
    for (const { reject, resolve } of this.open.splice(0)) error ? reject(error) : resolve()
  }
}

const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => `t${n}`)

describe('the revocations that are stored', () => {
  const make = (limit: number) => {
    const store = new Store()
    const log = new MemoryLog()
    return { store, log, revocations: new Revocations({ backend: store, limit, clock: new FakeClock(), log }) }
  }

  it("are Celery's REVOKED, a limited number of them at the same time, the latest of too many", async () => {
    const { revocations, store } = make(5000)
    revocations.add(ids(200_000))
    expect(store.asked.length).toBeGreaterThan(0)
    expect(store.asked[0]).toMatchObject({
      taskId: 't195000',
      status: 'REVOKED',
      result: { exc_type: 'TaskRevokedError', exc_message: ['revoked'], exc_module: 'celery.exceptions' },
    })
    await waitFor(
      () => {
        store.answer()
        return store.asked.length === 5000
      },
      { what: 'all of them to be stored' },
    )
    expect(new Set(store.asked.map(({ taskId }) => taskId)).size).toBe(5000)
    expect(store.asked.at(-1)?.taskId).toBe('t199999')
    expect(store.most).toBeLessThanOrEqual(100)
  })

  it('are given up with one word where the store fails, and those that come later are tried', async () => {
    const { log, revocations, store } = make(5000)
    revocations.add(ids(1000))
    const asked = store.asked.length
    store.answer(new Error('no'))
    await new Promise(setImmediate)
    expect(store.asked).toHaveLength(asked)
    expect(log.of('WARNING')).toEqual([
      'Failed to mark task t0 as revoked in backend: no',
      `${1000 - asked} other revoked tasks are marked only when their messages arrive`,
    ])
    revocations.add(['later'])
    expect(store.asked.at(-1)?.taskId).toBe('later')
    store.answer(new Error('again'))
    await new Promise(setImmediate)
    expect(log.of('WARNING').at(-1)).toBe('Failed to mark task later as revoked in backend: again')
  })

  it('are none where nothing can be stored without the message', () => {
    const log = new MemoryLog()
    new Revocations({ backend: {}, limit: 10, clock: new FakeClock(), log }).add(ids(3))
    expect(log.lines).toEqual([])
  })
})
