import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Backend } from '../../lib/ports.js'
import { encodeException } from '../../lib/protocol/exception.js'
import { EncodeError, type ResultMeta, resultMeta, taskTuple } from '../../lib/protocol/result.js'
import { waitFor } from '../support/waitFor.js'

export interface BackendCase {
  readonly name: string
  /** Makes a backend that isn't started; called for each test. */
  create(): Promise<Backend> | Backend
  /** Whether results can be asked for at all. Without it, only storing and life are checked. */
  readonly reads: boolean
}

const NOBODY = { replyTo: null, correlationId: null }
const NOW = Date.UTC(2026, 10, 24, 8, 47, 48, 964)

/** What every backend has to do. A third party's backend passes when this suite does. */
export function describeBackend({ name, create, reads }: BackendCase): void {
  describe(`the backend ${name}`, () => {
    let backend: Backend
    let id: string
    const meta = (status: string, result: unknown, more: Partial<ResultMeta> = {}): ResultMeta =>
      resultMeta({ taskId: id, status, result, ...more }, NOW)

    beforeEach(async () => {
      id = randomUUID()
      backend = await create()
      await backend.start()
    })

    afterEach(() => backend.stop())

    it('is healthy once it has started', () => {
      expect(backend.healthy()).toBe(true)
    })

    it('shows no password in its name', () => {
      expect(backend.name).not.toMatch(/:[^/*@]+@/)
    })

    it('starts and stops twice without complaint', async () => {
      await backend.start()
      await backend.stop()
      await backend.stop()
    })

    it('stops without having started', async () => {
      const other = await create()
      await expect(other.stop()).resolves.toBeUndefined()
    })

    it('stores a state', async () => {
      await expect(backend.store(meta('SUCCESS', 5), NOBODY)).resolves.toBeUndefined()
    })

    if (!reads) {
      it('says that there are no results, for good', async () => {
        const refused = { retriable: false }
        await expect(backend.get(id)).rejects.toMatchObject(refused)
        await expect(backend.subscribe(id, () => undefined)).rejects.toMatchObject(refused)
      })
      return
    }

    it('knows nothing of an unknown task', async () => {
      expect(await backend.get(id)).toBeNull()
    })

    const values: Array<[what: string, value: unknown]> = [
      ['null', null],
      ['a number', 5],
      ['an integer past 2^53', 2n ** 60n],
      ['false', false],
      ['an empty text', ''],
      ['unicode', 'naïve ☂ 漢 🎉 \u0000'],
      ['nested values', { a: [1, { b: null }], 'key with space': [[]] }],
      ['a megabyte', 'x'.repeat(1_000_000)],
    ]
    for (const [what, value] of values) {
      it(`gives back ${what}`, async () => {
        await backend.store(meta('SUCCESS', value), NOBODY)
        expect((await backend.get(id))?.result).toEqual(value)
      })
    }

    it('gives back every field of a failure', async () => {
      const failure = meta('FAILURE', encodeException(new RangeError('boom')), {
        traceback: 'Traceback (most recent call last):\nValueError: boom\n',
        children: [taskTuple('child'), taskTuple('other', taskTuple('child'))],
        groupId: 'g',
        parentId: 'p',
        extended: { name: 'tasks.add', args: [1], kwargs: { y: 2 }, worker: 'w1@h', retries: 1, queue: 'celery' },
      })
      await backend.store(failure, NOBODY)
      expect(await backend.get(id)).toEqual(failure)
    })

    it('takes a value that is no JSON for a fault of the task', async () => {
      const circle: Record<string, unknown> = {}
      circle.self = circle
      await expect(backend.store(meta('SUCCESS', circle), NOBODY)).rejects.toThrow(EncodeError)
      expect(await backend.get(id)).toBeNull()
    })

    it('follows a task through its states', async () => {
      for (const [status, result] of [
        ['STARTED', { pid: 1, hostname: 'w1@h' }],
        ['PROGRESS', { done: 3 }],
        ['RETRY', encodeException(new Error('later'))],
        ['SUCCESS', 'done'],
      ] as const) {
        await backend.store(meta(status, result), NOBODY)
        expect(await backend.get(id)).toMatchObject({ status, result })
      }
    })

    for (const status of ['STARTED', 'RETRY', 'FAILURE', 'REVOKED', 'SUCCESS']) {
      it(`keeps a success when ${status} comes after it`, async () => {
        await backend.store(meta('SUCCESS', 'first'), NOBODY)
        await backend.store(meta(status, null), NOBODY)
        expect(await backend.get(id)).toMatchObject({ status: 'SUCCESS', result: 'first' })
      })
    }

    for (const status of ['FAILURE', 'REVOKED']) {
      it(`lets a success replace ${status}, as Celery does`, async () => {
        await backend.store(meta(status, encodeException(new Error('boom'))), NOBODY)
        await backend.store(meta('SUCCESS', 'after all'), NOBODY)
        expect(await backend.get(id)).toMatchObject({ status: 'SUCCESS', result: 'after all' })
      })
    }

    it('tells each state to those who subscribed, and to them alone', async () => {
      const heard: string[] = []
      const strange: string[] = []
      const leave = await backend.subscribe(id, ({ status }) => heard.push(status))
      const leaveOther = await backend.subscribe(randomUUID(), ({ status }) => strange.push(status))
      await backend.store(meta('STARTED', null), NOBODY)
      await backend.store(meta('SUCCESS', 1), NOBODY)
      await waitFor(() => heard.length >= 2, { what: 'two states' })
      expect(heard).toEqual(['STARTED', 'SUCCESS'])
      expect(strange).toEqual([])
      await leave()
      await leaveOther()
    })

    it('tells nothing more to one who has left, while another stays', async () => {
      const gone: string[] = []
      const stays: string[] = []
      const leave = await backend.subscribe(id, ({ status }) => gone.push(status))
      const leaveLast = await backend.subscribe(id, ({ status }) => stays.push(status))
      await leave()
      await leave()
      await backend.store(meta('SUCCESS', 1), NOBODY)
      await waitFor(() => stays.length > 0, { what: 'the state' })
      expect(gone).toEqual([])
      await leaveLast()
    })

    it('can be subscribed to again after the last one has left', async () => {
      const first = await backend.subscribe(id, () => undefined)
      const leaving = first()
      const heard: string[] = []
      const leave = await backend.subscribe(id, ({ status }) => heard.push(status))
      await leaving
      await backend.store(meta('SUCCESS', 1), NOBODY)
      await waitFor(() => heard.length > 0, { what: 'the state' })
      await leave()
    })

    it('forgets', async () => {
      await backend.store(meta('SUCCESS', 1), NOBODY)
      await backend.forget(id)
      expect(await backend.get(id)).toBeNull()
      await expect(backend.forget(id)).resolves.toBeUndefined()
    })
  })
}
