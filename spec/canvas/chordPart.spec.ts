import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { BackendError } from '../../lib/backends/backendError.js'
import { MemoryBackend } from '../../lib/backends/memory.js'
import { noChords } from '../../lib/canvas/chordError.js'
import { type ChordTerms, returnPart } from '../../lib/canvas/chordPart.js'
import { type CanvasLimits, NO_LIMITS } from '../../lib/canvas/parse.js'
import { chordSignature, listSignature, type Signature, taskSignature } from '../../lib/canvas/signature.js'
import type { ChordPart } from '../../lib/ports.js'
import { encodeException } from '../../lib/protocol/exception.js'
import { repr } from '../../lib/protocol/repr.js'
import { resultMeta, taskTuple } from '../../lib/protocol/result.js'
import { MemoryLog } from '../support/memoryLog.js'

const task = (id: string, options: Record<string, unknown> = {}): Signature =>
  taskSignature(`tasks.${id}`, [], {}, { task_id: id, ...options })

describe('returnPart', () => {
  const backend = new MemoryBackend()
  const chords = backend.chords
  let log: MemoryLog
  let group: string
  /** What was done, as words. */
  let done: string[]
  let sendError: Error | null
  let errbackError: Error | null
  let limits: CanvasLimits

  beforeEach(() => {
    log = new MemoryLog()
    group = randomUUID()
    done = []
    sendError = null
    errbackError = null
    limits = NO_LIMITS
  })

  const terms = (): ChordTerms => ({
    backend,
    limits,
    log,
    send: async (body, results) => {
      if (sendError) throw sendError
      done.push(`send ${body.options.task_id} ${JSON.stringify(results)}`)
    },
    callErrbacks: async (errbacks, id, error) => {
      if (errbackError) throw errbackError
      done.push(`errbacks ${errbacks.map((errback) => errback.task).join()} of ${id}: ${repr(error)}`)
    },
    fail: async (id, error) => {
      done.push(`fail ${id}: ${repr(error)}`)
    },
  })
  const part = (groupIndex: number, result: unknown, more: Partial<ChordPart> = {}): ChordPart => ({
    groupId: group,
    groupIndex,
    id: `m${groupIndex}`,
    state: 'SUCCESS',
    result,
    isRepeated: false,
    ...more,
  })
  const failed = (groupIndex: number, error: Error, state = 'FAILURE'): ChordPart =>
    part(groupIndex, encodeException(error), { state })
  const run = async (parts: readonly ChordPart[], body: Signature): Promise<void> => {
    await chords.setSize(group, parts.length)
    for (const each of parts) await returnPart(each, body, terms())
  }

  it('sends the body once all members have ended, with the results in the order of the header', async () => {
    await run([part(2, 'c'), part(0, 'a'), part(1, null)], task('body'))
    expect(done).toEqual(['send body ["a",null,"c"]'])
    expect(await chords.members(group)).toEqual([])
  })

  it('does nothing before the last one, and nothing where chords are not counted', async () => {
    await chords.setSize(group, 2)
    await returnPart(part(0, 1), task('body'), terms())
    await returnPart(part(1, 1), task('body'), { ...terms(), backend: { get: (id) => backend.get(id) } })
    expect(done).toEqual([])
  })

  it("stores a member's failure in the place of the body, calls its error callbacks before, and keeps the count", async () => {
    const body = task('body', { link_error: [task('oops'), task('again')] })
    const boom = Object.assign(new Error('x'), { excType: 'ValueError', excModule: 'builtins', args: ['boom', 42] })
    await run([part(0, 1), failed(2, new Error('second')), failed(1, boom)], body)
    const text = `ChordError("Dependency m1 raised ValueError('boom', 42)")`
    expect(done).toEqual([`errbacks tasks.oops,tasks.again of body: ${text}`, `fail body: ${text}`])
    expect(await chords.members(group)).toHaveLength(3)
    expect(log.of('ERROR')).toEqual([`Chord '${group}' raised: ${text}`])
  })

  it('counts a member that was revoked as one that has failed', async () => {
    const revoked = Object.assign(new Error('revoked'), { excType: 'TaskRevokedError' })
    await run([failed(0, revoked, 'REVOKED')], task('body'))
    expect(done).toEqual([`fail body: ChordError("Dependency m0 raised TaskRevokedError('revoked')")`])
  })

  it('stores under the ids that a chain, a group and a chord end with', async () => {
    const text = `ChordError("Dependency m0 raised Exception('boom')")`
    const chain = listSignature('chain', [task('x'), task('y')], { task_id: 'y' })
    await run([failed(0, new Error('boom'))], chain)
    expect(done).toEqual([`fail y: ${text}`])

    done = []
    group = randomUUID()
    const inner = chordSignature(listSignature('group', [task('h')], { task_id: 'header' }), task('z'), {
      task_id: 'header',
    })
    await run([failed(0, new Error('boom'))], inner)
    expect(done).toEqual([`fail z: ${text}`, `fail header: ${text}`])

    done = []
    group = randomUUID()
    const own = listSignature('group', [task('p'), task('q')], { task_id: 'gid', link_error: [task('oops')] })
    await run([failed(0, new Error('boom'))], own)
    const original = `Exception('boom')`
    expect(done).toEqual([
      `errbacks tasks.oops of p: ${original}`,
      `errbacks tasks.oops of q: ${original}`,
      ...['p', 'q', 'gid'].map((id) => `fail ${id}: ${original}`),
    ])
  })

  it('tells the chord that the body is a member of, so that it comes to an end, too', async () => {
    const outer = randomUUID()
    const last = task('last')
    await chords.setSize(outer, 1)
    await run([failed(0, new Error('boom'))], task('body', { chord: last, group_id: outer, group_index: 0 }))
    const text = `ChordError("Dependency m0 raised Exception('boom')")`
    expect(done).toEqual([`fail body: ${text}`, `fail last: ChordError(${repr(`Dependency body raised ${text}`)})`])
  })

  it('joins what was saved of a header with groups in it, from what was counted and what is stored', async () => {
    const ids = ['a', 'b', 'c', 'd'].map((name) => `${name}-${group}`)
    const [a, b, c, d] = ids as [string, string, string, string]
    await backend.groups.save(group, [
      [group, null],
      [
        taskTuple(a),
        [
          ['inner', null],
          [taskTuple(b), [['deeper', null], [taskTuple(c)]]],
        ],
        taskTuple(d),
      ],
    ])
    await backend.store(resultMeta({ taskId: d, status: 'SUCCESS', result: 4 }, 0))
    await run([part(0, 1, { id: a }), part(1, 2, { id: b }), part(2, 3, { id: c })], task('body'))
    expect(done).toEqual(['send body [1,[2,[3]],4]'])
  })

  it.each([
    ['failed', `Join error: ValueError('boom')`],
    ['not ended', `Join error: TimeoutError('The operation timed out.')`],
  ])('says of a saved header with a member that has %s', async (what, text) => {
    const [a, b] = [`a-${group}`, `b-${group}`]
    await backend.groups.save(group, [
      [group, null],
      [[['inner', null], [taskTuple(a)]], taskTuple(b)],
    ])
    const end = what === 'failed' ? failed(1, new RangeError('boom')) : part(1, 1)
    await run([part(0, 1, { id: a }), { ...end, id: what === 'failed' ? b : 'another' }], task('body'))
    expect(done).toEqual([`fail body: ChordError(${repr(text)})`])
  })

  it('stores that the body could not be sent, and forgets the count', async () => {
    sendError = new TypeError('no such thing')
    await run([part(0, 1)], task('body', { link_error: task('oops') }))
    const text = `ChordError("Callback error: TypeError('no such thing')")`
    expect(done).toEqual([`errbacks tasks.oops of body: ${text}`, `fail body: ${text}`])
    expect(await chords.members(group)).toEqual([])
  })

  it('leaves all as it is for another time when the body may be sent then, and the same member completes it', async () => {
    sendError = new BackendError('away')
    await expect(run([part(0, 1)], task('body'))).rejects.toThrow('away')
    expect(done).toEqual([])
    sendError = null
    await returnPart(part(0, 1, { isRepeated: true }), task('body'), terms())
    await returnPart(part(0, 1, { isRepeated: true }), task('body'), terms())
    expect(done).toEqual(['send body [1]'])
  })

  it('calls the error callbacks once, although another member comes again', async () => {
    const body = task('body', { link_error: [task('oops')] })
    await run([part(0, 1), failed(1, new Error('boom'))], body)
    await returnPart(part(0, 1, { isRepeated: true }), body, terms())
    expect(done.filter((word) => word.startsWith('errbacks'))).toHaveLength(1)
  })

  it('calls no error callbacks for the tasks of a body that would be more than a message may carry', async () => {
    limits = { ...NO_LIMITS, elements: 4 }
    const many = (count: number) => Array.from({ length: count }, (_, at) => task(`t${at}`))
    await run([failed(0, new Error('boom'))], listSignature('group', many(3), { link_error: many(2) }))
    expect(done.filter((word) => word.startsWith('errbacks'))).toHaveLength(3)
    done = []
    group = randomUUID()
    await run([failed(0, new Error('boom'))], listSignature('group', many(3), { link_error: many(3) }))
    const tooMany = /^fail t\d: SignatureError\(.*more signatures than the 4 of worker_max_canvas_items/
    expect(done).toEqual(Array.from({ length: 3 }, () => expect.stringMatching(tooMany)))
  })

  it('stores what is wrong with error callbacks that can not be called', async () => {
    errbackError = new TypeError('no errback')
    await run([failed(0, new Error('boom'))], task('body', { link_error: [task('oops')] }))
    expect(done).toEqual([`fail body: TypeError('no errback')`])
  })
})

describe('noChords', () => {
  it.each([
    ['rpc://', false, 'The "rpc" result backend does not support chords!\n\nNote that a group chained'],
    ['dynamo+x://**@host/1', false, 'The "dynamo+x" result backend does not support chords!'],
    ['disabled://', true, 'Starting chords requires a result backend to be configured.\n\nNote'],
  ])('says it of %s in the words of Python', (name, storesNothing, text) => {
    const error = noChords({ name, storesNothing })
    expect(error.message).toContain(text)
    expect(encodeException(error)).toMatchObject({ exc_type: 'NotImplementedError', exc_module: 'builtins' })
  })
})
