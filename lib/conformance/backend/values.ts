import { deepEqual, equal, rejects } from 'node:assert/strict'
import { encodeException } from '../../protocol/exception.js'
import { taskTuple } from '../../protocol/result.js'
import { EncodeError } from '../../protocol/resultText.js'
import type { AddCase } from '../suite.js'
import { type BackendBench, NOBODY } from './bench.js'

const VALUES: ReadonlyArray<readonly [what: string, value: unknown]> = [
  ['null', null],
  ['a number', 5],
  ['an integer past 2^53', 2n ** 60n],
  ['false', false],
  ['an empty text', ''],
  ['unicode', 'naïve ☂ 漢 🎉 \u0000'],
  ['nested values', { a: [1, { b: null }], 'key with space': [[]] }],
  ['a megabyte', 'x'.repeat(1_000_000)],
]

/** Tests of values that must come back unchanged. */
export function values(it: AddCase<BackendBench>): void {
  it('knows nothing of an unknown task', async ({ backend, id }) => equal(await backend.get(id), null))

  for (const [what, value] of VALUES) {
    it(`gives back ${what}`, async ({ backend, id, meta }) => {
      await backend.store(meta('SUCCESS', value), NOBODY)
      deepEqual((await backend.get(id))?.result, value)
    })
  }

  it('gives back bytes, whatever they are', async ({ backend, id, meta }) => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    await backend.store(meta('SUCCESS', { bytes }), NOBODY)
    const { result } = (await backend.get(id)) ?? {}
    deepEqual([...(result as { bytes: Buffer }).bytes], [...bytes])
  })

  it('gives back a moment', async ({ backend, id, meta }) => {
    const moment = new Date(Date.UTC(2026, 10, 24, 8, 47, 48, 964))
    await backend.store(meta('SUCCESS', moment), NOBODY)
    deepEqual((await backend.get(id))?.result, moment)
  })

  it('gives back every field of a failure', async ({ backend, id, meta }) => {
    const failure = meta('FAILURE', encodeException(new RangeError('boom')), {
      traceback: 'Traceback (most recent call last):\nValueError: boom\n',
      children: [taskTuple('child'), taskTuple('other', taskTuple('child'))],
      groupId: 'g',
      parentId: 'p',
      extended: { name: 'tasks.add', args: [1], kwargs: { y: 2 }, worker: 'w1@h', retries: 1, queue: 'celery' },
    })
    await backend.store(failure, NOBODY)
    deepEqual(await backend.get(id), failure)
  })

  it('takes a value that is no JSON for a fault of the task', async ({ backend, id, meta }) => {
    const circle: Record<string, unknown> = {}
    circle.self = circle
    await rejects(backend.store(meta('SUCCESS', circle), NOBODY), EncodeError)
    equal(await backend.get(id), null)
  })
}
