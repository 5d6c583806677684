import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Celery } from '../../lib/index.js'
import { type TestWorker, testWorker } from '../../lib/testing/testWorker.js'

type Dict = Record<string, unknown>

const sig = (task: string, options: Dict = {}): Dict => ({
  ...{ task, args: [], kwargs: {}, options, subtask_type: null, immutable: true },
})
const list = (kind: string, ...tasks: Dict[]): Dict => ({
  ...sig(`celery.${kind}`),
  kwargs: { tasks },
  subtask_type: kind,
})
const chain = (...tasks: Dict[]): Dict => list('chain', ...tasks)
const chord = (header: Dict[], body: Dict): Dict => ({
  ...sig('celery.chord'),
  kwargs: { kwargs: {}, header, body },
  subtask_type: 'chord',
})
const REVOKED = { task_id: 'first' }

describe('a step that is revoked', () => {
  let app: Celery
  let here: TestWorker
  let ran: string[]

  beforeEach(async () => {
    ran = []
    app = new Celery('revoked', {})
    for (const name of ['first', 'second', 'other', 'body', 'errback']) app.task(name, () => void ran.push(name))
    here = await testWorker(app)
    await app.asyncResult('first').revoke()
    // Once that is stored, the worker knows it.
    await end('first')
  })

  afterEach(() => here.stop())

  const end = async (id: string): Promise<unknown> =>
    app
      .asyncResult(id)
      .get({ timeout: 10 })
      .catch((thrown: Error & { excType?: string }) => [thrown.excType, thrown.message])

  it('ends the steps after it', async () => {
    const steps = [sig('first', REVOKED), sig('second', { task_id: 'second' }), sig('other', { task_id: 'other' })]
    await app.signature(chain(...steps)).applyAsync([])
    expect([await end('second'), await end('other')]).toEqual([
      ['TaskRevokedError', 'revoked'],
      ['TaskRevokedError', 'revoked'],
    ])
    expect(ran).toEqual([])
  })

  it('ends the chord that the last of them reports to', async () => {
    const member = chain(sig('first', REVOKED), sig('second', { task_id: 'second' }))
    await app.signature(chord([member, sig('other')], sig('body', { task_id: 'body' }))).applyAsync([])
    expect(await end('body')).toEqual(['ChordError', "Dependency second raised TaskRevokedError('revoked')"])
    expect(ran).toEqual(['other'])
  })

  it('calls no error callbacks, as in Celery', async () => {
    const errback = { link_error: [sig('errback')] }
    const steps = [sig('first', { ...REVOKED, ...errback }), sig('second', { task_id: 'second', ...errback })]
    await app.signature(chain(...steps)).applyAsync([])
    await end('second')
    expect(here.sent.of('errback')).toEqual([])
  })
})
