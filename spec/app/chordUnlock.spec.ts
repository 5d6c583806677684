import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, it } from '@jest/globals'
import { unlock as unlockOnce } from '../../lib/app/builtIns/unlock.js'
import type { TaskContext } from '../../lib/app/context.js'
import { BackendError } from '../../lib/backends/backendError.js'
import { listSignature, type Signature, taskSignature } from '../../lib/canvas/signature.js'
import { Celery } from '../../lib/celery.js'
import type { Backend } from '../../lib/ports.js'
import { type ResultMeta, taskTuple } from '../../lib/protocol/result.js'
import { MemoryLog } from '../support/memoryLog.js'
import { MemoryWorker } from '../support/memoryWorker.js'
import { waitFor } from '../support/waitFor.js'

describe('celery.chord_unlock', () => {
  let spec: MemoryWorker | null = null
  let open: () => void = () => undefined

  afterEach(async () => {
    open()
    await spec?.stop()
    spec = null
  })

  const start = async (config: Record<string, unknown> = {}): Promise<MemoryWorker> => {
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    spec = await MemoryWorker.start(
      (app) => {
        app.task('give', (value: unknown) => value)
        app.task('wait', async (value: unknown) => {
          await gate
          return value
        })
        app.task('boom', (text: string) => {
          throw new RangeError(text)
        })
        app.task('show', { params: ['values', 'more?'] }, (values: unknown, more = null) => [values, more])
      },
      { config },
    )
    return spec
  }
  const bodyOf = (id: string, options: Record<string, unknown> = {}): Signature =>
    taskSignature('show', [], { more: 'more' }, { task_id: id, ...options })
  const send = async ({ app }: MemoryWorker, task: string, value: unknown): Promise<string> =>
    (await app.sendTask(task, [value])).id
  const unlock = async ({ app }: MemoryWorker, body: unknown, result: unknown, more = {}): Promise<string> =>
    (await app.sendTask('celery.chord_unlock', [randomUUID(), body], { interval: 0.02, result, ...more })).id
  const end = ({ app }: MemoryWorker, id: string) => app.asyncResult(id).get({ timeout: 60, propagate: false })

  it('sends the body once the header has ended, nested as it was', async () => {
    const worker = await start()
    const ids = await Promise.all([send(worker, 'give', 1), send(worker, 'wait', 2), send(worker, 'give', 3)])
    const [a, b, c] = ids.map((id) => taskTuple(id))
    const id = randomUUID()
    const task = await unlock(worker, bodyOf(id), [a, [['g', null], [b]], c])
    await waitFor(() => worker.log.of('INFO').some((line) => line.includes(`${task}] retry`)), { what: 'a retry' })
    expect(await worker.app.asyncResult(id).state()).toBe('PENDING')
    open()
    expect(await end(worker, id)).toEqual([[1, [2], 3], 'more'])
  })

  it("stores a member's failure in the place of the body, and sends its error callbacks", async () => {
    const worker = await start()
    const failed = await send(worker, 'boom', 'no')
    await end(worker, failed)
    const errback = taskSignature('give', [], {}, { task_id: randomUUID() })
    const id = randomUUID()
    await unlock(worker, bodyOf(id, { link_error: [errback] }), [taskTuple(failed)])
    expect(await end(worker, id)).toMatchObject({
      excType: 'ChordError',
      message: `Dependency ${failed} raised ValueError('no')`,
    })
    expect(await end(worker, String(errback.options.task_id))).toBe(id)
  })

  it('does so for each task of a body that is a group', async () => {
    const worker = await start()
    const failed = await send(worker, 'boom', 'no')
    await end(worker, failed)
    const [one, two, group] = [randomUUID(), randomUUID(), randomUUID()]
    await unlock(worker, listSignature('group', [bodyOf(one), bodyOf(two)], { task_id: group }), [taskTuple(failed)])
    for (const id of [one, two, group]) expect(await end(worker, id)).toMatchObject({ excType: 'ValueError' })
  })

  it('tries no more often than it was told to, and then stores that the chord has failed', async () => {
    const worker = await start()
    const id = randomUUID()
    const task = await unlock(worker, bodyOf(id), [taskTuple(randomUUID())], { max_retries: 3 })
    expect(await end(worker, id)).toMatchObject({ excType: 'ChordError', message: /used up its retries/ })
    expect(worker.log.of('INFO').filter((line) => line.includes(`${task}] retry: Retry in 0.02s`))).toHaveLength(3)
  })

  it.each([
    ['a fraction of retries', { max_retries: 1.5 }],
    ['a time beyond the year 9999', { interval: 1e12, max_retries: 0.5 }],
    ['an argument of a later version', { max_retries: 0, quorum: 'all' }],
  ])('stores that the chord has failed, told %s', async (_, more) => {
    const worker = await start()
    const id = randomUUID()
    await unlock(worker, bodyOf(id), [taskTuple(randomUUID())], more)
    expect(await end(worker, id)).toMatchObject({ excType: 'ChordError', message: /used up its retries/ })
  })

  it('waits no longer at a time than results are kept', async () => {
    const worker = await start({ result_expires: 7200 })
    const task = await unlock(worker, bodyOf(randomUUID()), [taskTuple(randomUUID())], { interval: 1e12 })
    const line = () => worker.log.of('INFO').find((text) => text.includes(`${task}] retry`))
    await waitFor(line, { what: 'a retry' })
    expect(line()).toContain('retry: Retry in 7200s')
  })

  it('looks again after result_chord_retry_interval, also where that has its old name', async () => {
    const worker = await start({ CELERY_RESULT_CHORD_RETRY_INTERVAL: 70 })
    const task = await unlock(worker, bodyOf(randomUUID()), [taskTuple(randomUUID())], { interval: null })
    const line = () => worker.log.of('INFO').find((text) => text.includes(`${task}] retry`))
    await waitFor(line, { what: 'a retry' })
    expect(line()).toContain('retry: Retry in 70s')
  })

  it.each([
    ['a text', 'result must be a list of results'],
    [[['a'], ['b']], 'result must be a list of results'],
  ])('stores in the place of the body that its header is not one: %j', async (header, text) => {
    const worker = await start()
    const id = randomUUID()
    await unlock(worker, bodyOf(id), header)
    expect(await end(worker, id)).toMatchObject({
      excType: 'ChordError',
      message: `celery.chord_unlock raised SignatureError('${text}')`,
    })
  })

  it('stores that the chord has failed if the backend is away at its last retry, and comes back', async () => {
    const away = new BackendError('the backend is away')
    const stored: ResultMeta[] = []
    const backend = {
      name: 'away://',
      storesNothing: false,
      get: () => Promise.reject(away),
      store: async (meta: ResultMeta) => void stored.push(meta),
    }
    const home = { apply: () => Promise.reject(away), backend: () => backend as unknown as Backend, conf: () => ({}) }
    const self = { request: { retries: 3, task: 'celery.chord_unlock' }, log: new MemoryLog() } as unknown
    const header = [taskTuple('member')]
    await expect(unlockOnce(home, self as TaskContext, ['g', bodyOf('body'), 1, 3, header])).rejects.toBe(away)
    expect(stored).toMatchObject([
      {
        taskId: 'body',
        status: 'FAILURE',
        result: {
          exc_type: 'ChordError',
          exc_message: ["celery.chord_unlock raised BackendError('the backend is away')"],
        },
      },
    ])
  })

  it('says over a backend whose results are not for it that there are no chords, at once', async () => {
    const worker = await start({ result_backend: 'rpc://' })
    const id = randomUUID()
    const client = new Celery('client', { broker_url: worker.brokerUrl, result_backend: 'rpc://' })
    const result = client.asyncResult(id)
    expect(await result.state()).toBe('PENDING')
    const task = await unlock(worker, bodyOf(id, { reply_to: client.oid }), [taskTuple(randomUUID())])
    const error = await result.get({ timeout: 60, propagate: false })
    await client.close()
    expect(error).toMatchObject({ excType: 'ChordError' })
    expect(String(error)).toContain('The "rpc" result backend does not support chords!')
    expect(worker.log.of('INFO').filter((line) => line.includes(`${task}] retry`))).toEqual([])
  })

  it.each([
    ['callback.task', { no: 'task' }, []],
    ['callback', 'a text', []],
    ['result', null, 'a text'],
    ['result', null, [['a'], ['b']]],
  ])('fails with the name of what is wrong: %s', async (field, body, header) => {
    const worker = await start()
    await unlock(worker, body ?? bodyOf(randomUUID()), header)
    const line = () => worker.log.of('ERROR').find((text) => text.includes('celery.chord_unlock'))
    await waitFor(line, { what: 'the failure' })
    expect(line()).toContain(field)
  })
})
