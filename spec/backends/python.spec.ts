import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { AsyncResult } from '../../lib/app/asyncResult.js'
import { createBackend } from '../../lib/backends/index.js'
import { systemClock } from '../../lib/clock.js'
import type { Backend } from '../../lib/ports.js'
import { encodeException, RemoteError } from '../../lib/protocol/exception.js'
import { type ResultMeta, resultMeta, taskTuple } from '../../lib/protocol/result.js'
import { traceback } from '../../lib/protocol/traceback.js'
import { MemoryLog } from '../support/memoryLog.js'
import { PYTHON } from '../support/peers.js'
import { killAllPrograms, runProgram } from '../support/program.js'
import { redisUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

const NOBODY = { replyTo: null, correlationId: null }

/** What Python's own AsyncResult says of each id, as one line of JSON. */
const ASK = `
import sys, json, celery
app = celery.Celery(backend=sys.argv[1])
app.conf.update(json.loads(sys.argv[2]))
def ask(id):
    r = app.AsyncResult(id)
    said = {'state': r.state, 'children': [c.id for c in r.children or []], 'traceback': r.traceback,
            'done': r.date_done.isoformat() if r.date_done else None, 'name': r.name}
    if not r.ready():
        said['info'] = repr(r.info)
        return said
    try:
        said['value'] = r.get(timeout=120)
    except Exception as exc:
        said['raised'] = [type(exc).__module__, type(exc).__qualname__, str(exc), list(map(repr, exc.args))]
    return said
print(json.dumps([ask(id) for id in sys.argv[3:]]))
`

const WAIT = `
import sys, celery
print(celery.Celery(backend=sys.argv[1]).AsyncResult(sys.argv[2]).get(timeout=120))
`

/** What Python's worker would have written. */
const STORE = `
import sys, celery
app = celery.Celery(backend=sys.argv[1])
app.backend.store_result(sys.argv[2], {'a': [1, None]}, 'SUCCESS')
try:
    raise ValueError('boom', 42)
except ValueError as exc:
    app.backend.mark_as_failure(sys.argv[3], exc, traceback='the traceback')
`

class AxiosError extends Error {
  override readonly name = 'AxiosError'
}
class Revoked extends Error {
  override readonly name = 'TaskRevokedError'
}

async function python(script: string, ...args: string[]): Promise<string> {
  const program = runProgram(PYTHON, ['-c', script, ...args])
  const { code } = await program.exited
  if (code !== 0) throw new Error(program.output)
  return program.stdout
}

describe("Python's client, on results in Redis", () => {
  let backend: Backend

  beforeAll(async () => {
    backend = createBackend(
      { result_backend: redisUrl(), result_expires: 600 },
      { publisher: { publish: async () => undefined }, log: new MemoryLog() },
    )
    await backend.start()
  })
  afterEach(() => killAllPrograms())
  afterAll(() => backend.stop())

  it('reads values, states, exceptions, tracebacks and children', async () => {
    const metas: ResultMeta[] = []
    const add = (status: string, result: unknown, more: Partial<ResultMeta> = {}): void => {
      metas.push(resultMeta({ taskId: randomUUID(), status, result, ...more }, Date.UTC(2026, 10, 24, 8, 47, 48, 964)))
    }
    const fail = (error: Error): void => add('FAILURE', encodeException(error), { traceback: traceback(error) })
    add('SUCCESS', { a: [1, null, 'naïve ☂ 🎉'] }, { children: [taskTuple('child')], groupId: 'g', parentId: 'p' })
    fail(new TypeError("can't"))
    fail(new RangeError('boom'))
    fail(new Error('plain'))
    fail(new Error())
    fail(Object.assign(new Error('x'), { excType: 'KeyError', args: ['key', 42] }))
    fail(new AxiosError('status 500'))
    fail(Object.assign(new Error('x'), { excType: 'eval', excModule: 'builtins', args: ['1'] }))
    fail(Object.assign(new Error('x'), { name: 'TimeLimitExceeded', args: [30] }))
    add('REVOKED', encodeException(new Revoked('terminated')))
    add('PROGRESS', { done: 3 })
    add('RETRY', encodeException(new RangeError('later')))
    add('SUCCESS', 5, {
      extended: { name: 'tasks.add', args: [2, 3], kwargs: {}, worker: 'w1@h', retries: 0, queue: 'celery' },
    })
    for (const meta of metas) await backend.store(meta, NOBODY)

    const ids = metas.map(({ taskId }) => taskId)
    const said = JSON.parse(await python(ASK, redisUrl(), '{"result_extended": true}', ...ids))

    expect(said[0]).toMatchObject({
      state: 'SUCCESS',
      value: { a: [1, null, 'naïve ☂ 🎉'] },
      children: ['child'],
      done: '2026-11-24T08:47:48.964000+00:00',
    })
    expect(said.slice(1, 10).map(({ raised }: { raised: unknown }) => raised)).toEqual([
      ['builtins', 'TypeError', "can't", ['"can\'t"']],
      ['builtins', 'ValueError', 'boom', ["'boom'"]],
      ['builtins', 'Exception', 'plain', ["'plain'"]],
      ['builtins', 'Exception', '', []],
      ['builtins', 'KeyError', "('key', 42)", ["'key'", '42']],
      ['celery.exceptions', 'AxiosError', 'status 500', ["'status 500'"]],
      ['celery.exceptions', 'eval', '1', ["'1'"]],
      ['billiard.exceptions', 'TimeLimitExceeded', 'TimeLimitExceeded(30,)', ['30']],
      ['celery.exceptions', 'TaskRevokedError', 'terminated', ["'terminated'"]],
    ])
    expect(said[2].traceback).toBe(metas[2]?.traceback)
    expect(said[10]).toMatchObject({ state: 'PROGRESS', info: "{'done': 3}", done: null })
    expect(said[11]).toMatchObject({ state: 'RETRY', info: "ValueError('later')" })
    expect(said[12]).toMatchObject({ value: 5, name: 'tasks.add' })
  })

  it('is told through its subscription, while it waits in get()', async () => {
    const taskId = randomUUID()
    const asking = python(WAIT, redisUrl(), taskId)
    const client = new Redis(redisUrl())
    await waitFor(async () => (await client.pubsub('NUMSUB', `celery-task-meta-${taskId}`))[1] === 1, {
      what: 'Python to subscribe',
    })
    await backend.store(resultMeta({ taskId, status: 'STARTED', result: null }, 0), NOBODY)
    await backend.store(resultMeta({ taskId, status: 'SUCCESS', result: 'told' }, 0), NOBODY)
    // Gone from the store: it can only have been told.
    await client.del(`celery-task-meta-${taskId}`)
    expect((await asking).trim()).toBe('told')
    await client.quit()
  })

  it('writes results that are read here', async () => {
    const [good, bad] = [randomUUID(), randomUUID()]
    await python(STORE, redisUrl(), good, bad)
    expect(await new AsyncResult(good, backend, systemClock).get({ timeout: 120 })).toEqual({ a: [1, null] })
    const failed = new AsyncResult(bad, backend, systemClock)
    const getting = failed.get({ timeout: 120 })
    await expect(getting).rejects.toThrow(RemoteError)
    await expect(getting).rejects.toMatchObject({ name: 'ValueError', args: ['boom', 42], excModule: 'builtins' })
    expect(await failed.traceback()).toBe('the traceback')
  })
})
