import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { BackendError } from '../../lib/backends/backendError.js'
import { GuardedBackend } from '../../lib/backends/guarded.js'
import { MemoryBackend } from '../../lib/backends/memory.js'
import type { ResultMeta } from '../../lib/protocol/result.js'
import { finalState } from '../../lib/trace/finalState.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'

/** Reads fail while it is away; what is stored meanwhile reaches no listener. */
class Fragile extends MemoryBackend {
  readonly calls: string[] = []
  away = false
  left = 0

  override get(id: string): Promise<ResultMeta | null> {
    return this.tried('get', () => super.get(id))
  }

  override async subscribe(id: string, onMeta: (meta: ResultMeta) => void): Promise<() => Promise<void>> {
    const leave = await this.tried('subscribe', () => super.subscribe(id, (meta) => this.away || onMeta(meta)))
    return async () => {
      this.left++
      await this.tried('leave', leave)
    }
  }

  private async tried<T>(name: string, call: () => Promise<T>): Promise<T> {
    this.calls.push(name)
    if (this.away) throw new BackendError('it is away')
    return call()
  }
}

describe('the final state of a task', () => {
  let id: string
  beforeEach(() => {
    id = randomUUID()
  })
  const meta = (status: string): ResultMeta => ({
    taskId: id,
    status,
    result: null,
    traceback: null,
    children: [],
    dateDone: null,
    groupId: null,
    parentId: null,
    extended: null,
  })
  /** Lets what is ready go on, then time pass. */
  const passing =
    (clock: FakeClock) =>
    async (ms: number): Promise<void> => {
      await new Promise(setImmediate)
      clock.advance(ms)
      await new Promise(setImmediate)
    }
  const setUp = (): { inner: Fragile; waiting(): Promise<ResultMeta | null>; pass(ms: number): Promise<void> } => {
    const [inner, clock] = [new Fragile(), new FakeClock()]
    const backend = new GuardedBackend(inner, { clock, log: new MemoryLog() })
    return { inner, waiting: () => finalState(id, { backend, clock, timeoutMs: 3000 }), pass: passing(clock) }
  }

  it('is the one that is stored, or comes in time', async () => {
    const { inner, pass, waiting } = setUp()
    const first = waiting()
    await pass(2999)
    await inner.store(meta('STARTED'))
    await inner.store(meta('SUCCESS'))
    expect(await first).toMatchObject({ status: 'SUCCESS' })
    expect(await waiting()).toMatchObject({ status: 'SUCCESS' })
    expect(inner.left).toBe(2)
  })

  it('is unknown once it takes too long', async () => {
    const { inner, pass, waiting } = setUp()
    const waited = waiting()
    await pass(3000)
    expect(await waited).toBeNull()
    expect(inner.left).toBe(1)
  })

  it('is waited for while the store is away, however long that takes', async () => {
    const { inner, pass, waiting } = setUp()
    await inner.store(meta('SUCCESS'))
    inner.away = true
    const waited = waiting()
    for (let n = 0; n < 10; n++) await pass(2000)
    expect(new Set(inner.calls)).toEqual(new Set(['subscribe']))
    inner.away = false
    await pass(2000)
    expect(await waited).toMatchObject({ status: 'SUCCESS' })
  })

  it('is read at the end of the time if the store was away meanwhile', async () => {
    const { inner, pass, waiting } = setUp()
    const waited = waiting()
    await pass(0)
    inner.away = true
    await inner.store(meta('FAILURE'))
    for (let n = 0; n < 10; n++) await pass(2000)
    inner.away = false
    await pass(2000)
    expect(await waited).toMatchObject({ status: 'FAILURE' })
  })

  it('is told although the store is lost before the subscription has ended', async () => {
    const { inner, pass, waiting } = setUp()
    const waited = waiting()
    await pass(0)
    const stored = inner.store(meta('SUCCESS'))
    inner.away = true
    await stored
    expect(await waited).toMatchObject({ status: 'SUCCESS' })
    expect(inner.left).toBe(1)
  })
})
