import { deepEqual } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { encodeException } from '../../protocol/exception.js'
import { type AddCase, matches, waitFor } from '../suite.js'
import { type BackendBench, NOBODY } from './bench.js'

/** Tests of the states of a task, one after another. */
export function states(it: AddCase<BackendBench>): void {
  it('follows a task through its states, its own among them', async ({ backend, id, meta }) => {
    for (const [status, result] of [
      ['STARTED', { pid: 1, hostname: 'w1@h' }],
      ['PROGRESS', { done: 3 }],
      ['waits for a Turn', null],
      ['RETRY', encodeException(new Error('later'))],
      ['SUCCESS', 'done'],
    ] as const) {
      await backend.store(meta(status, result), NOBODY)
      matches(await backend.get(id), { status, result })
    }
  })

  for (const status of ['STARTED', 'RETRY', 'FAILURE', 'REVOKED', 'SUCCESS']) {
    it(`keeps a success when ${status} comes after it`, async ({ backend, id, meta }) => {
      await backend.store(meta('SUCCESS', 'first'), NOBODY)
      await backend.store(meta(status, null), NOBODY)
      matches(await backend.get(id), { status: 'SUCCESS', result: 'first' })
    })
  }

  for (const status of ['FAILURE', 'REVOKED']) {
    it(`lets a success replace ${status}, as Celery does`, async ({ backend, id, meta }) => {
      await backend.store(meta(status, encodeException(new Error('boom'))), NOBODY)
      await backend.store(meta('SUCCESS', 'after all'), NOBODY)
      matches(await backend.get(id), { status: 'SUCCESS', result: 'after all' })
    })
  }

  for (const [status, expected] of [
    ['STARTED', 'REVOKED'],
    ['FAILURE', 'FAILURE'],
    ['SUCCESS', 'SUCCESS'],
  ] as const) {
    it(`stores a state of a task that nobody has in hand unless it is ready: after ${status}`, async (bench) => {
      const { backend, id, meta } = bench
      if (!backend.storeUnlessReady) return
      const error = encodeException(new Error('old'))
      await backend.store(meta(status, status === 'FAILURE' ? error : 1), NOBODY)
      await backend.storeUnlessReady(meta('REVOKED', encodeException(new Error('new'))))
      matches(await backend.get(id), { status: expected })
    })
  }

  it('tells each state to those who subscribed, and to them alone', async ({ backend, id, meta }) => {
    const heard: string[] = []
    const strange: string[] = []
    const leave = await backend.subscribe(id, ({ status }) => heard.push(status))
    const leaveOther = await backend.subscribe(randomUUID(), ({ status }) => strange.push(status))
    await backend.store(meta('STARTED', null), NOBODY)
    await backend.store(meta('SUCCESS', 1), NOBODY)
    await waitFor(() => heard.length >= 2, 'two states')
    deepEqual(heard, ['STARTED', 'SUCCESS'])
    deepEqual(strange, [])
    await leave()
    await leaveOther()
  })

  it('tells nothing more to one who has left, while another stays', async ({ backend, id, meta }) => {
    const gone: string[] = []
    const stays: string[] = []
    const leave = await backend.subscribe(id, ({ status }) => gone.push(status))
    const leaveLast = await backend.subscribe(id, ({ status }) => stays.push(status))
    await leave()
    await leave()
    await backend.store(meta('SUCCESS', 1), NOBODY)
    await waitFor(() => stays.length > 0, 'the state')
    deepEqual(gone, [])
    await leaveLast()
  })

  it('can be subscribed to again after the last one has left', async ({ backend, id, meta }) => {
    const first = await backend.subscribe(id, () => undefined)
    const leaving = first()
    const heard: string[] = []
    const leave = await backend.subscribe(id, ({ status }) => heard.push(status))
    await leaving
    await backend.store(meta('SUCCESS', 1), NOBODY)
    await waitFor(() => heard.length > 0, 'the state')
    await leave()
  })
}
