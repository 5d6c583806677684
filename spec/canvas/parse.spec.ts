import { describe, expect, it } from '@jest/globals'
import { canvasMessage } from '../../lib/canvas/canvasMessage.js'
import * as canvas from '../../lib/canvas/parse.js'
import type { ChordSignature, SignatureList } from '../../lib/canvas/signature.js'

const LIMITS = { elements: 100_000, depth: 100 }
const parseSignature = (given: unknown, limits = LIMITS) => canvas.parseSignature(given, 'signature', limits)
const parseSignatures = (given: unknown, field: string) => canvas.parseSignatures(given, field, LIMITS)

const sig = (task: unknown = 'a', fields: object = {}): Record<string, unknown> => ({ task, ...fields })
const list = (kind: string, tasks: unknown): Record<string, unknown> =>
  sig(`celery.${kind}`, { kwargs: { tasks }, subtask_type: kind })

describe('parseSignature', () => {
  it('takes what a client in another language leaves out for nothing', () => {
    expect(parseSignature({ task: 'a' })).toEqual({
      task: 'a',
      args: [],
      kwargs: {},
      options: {},
      subtask_type: null,
      immutable: false,
    })
  })

  it('shares nothing that is written to with what was given', () => {
    const given = list('chain', [sig('a', { options: { link: [sig('b')] } })])
    const parsed = parseSignature(given) as SignatureList
    parsed.kwargs.tasks[0]?.kwargs && Object.assign(parsed.kwargs.tasks[0].options, { task_id: 'x', link: [] })
    parsed.kwargs.tasks.pop()
    expect(given).toEqual(list('chain', [sig('a', { options: { link: [sig('b')] } })]))
  })

  it('keeps bytes and dates among the arguments', () => {
    const args = [Buffer.from([255, 0]), new Date(0)]
    expect(parseSignature(sig('a', { args })).args).toEqual(args)
  })

  it.each([
    ['a group', list('group', [sig('a'), sig('b')])],
    ['its tasks', [sig('a'), sig('b')]],
    ['a chain, of which Celery takes the steps', list('chain', [sig('a'), sig('b')])],
  ])('takes %s for a header', (_, header) => {
    const chord = parseSignature(sig('celery.chord', { kwargs: { header, body: sig('c') }, subtask_type: 'chord' }))
    const { kwargs } = chord as ChordSignature
    expect(kwargs.header.kwargs.tasks.map(({ task }) => task)).toEqual(['a', 'b'])
    expect(kwargs.body?.task).toBe('c')
  })

  const endless = list('chain', [])
  ;(endless.kwargs as { tasks: unknown[] }).tasks = [endless]
  it.each([
    ['a', 'chain[0] must be a mapping'],
    [sig(''), 'chain[0].task must be a non-empty string'],
    [sig(5), 'chain[0].task must be a non-empty string'],
    [sig('a', { args: 5 }), 'chain[0].args must be a list'],
    [sig('a', { kwargs: [] }), 'chain[0].kwargs must be a mapping'],
    [sig('a', { options: 'x' }), 'chain[0].options must be a mapping'],
    [sig('a', { options: { link: ['x'] } }), 'chain[0].options.link[0] must be a mapping'],
    [sig('a', { options: { chord: 'x' } }), 'chain[0].options.chord must be a mapping'],
    [sig('a', { subtask_type: 'circle' }), 'chain[0].subtask_type must be null, "chain", "group" or "chord"'],
    [list('group', {}), 'chain[0].kwargs.tasks must be a list of signatures'],
    [list('group', [sig('a'), 5]), 'chain[0].kwargs.tasks[1] must be a mapping'],
    [endless, 'is nested deeper than the 100 of worker_max_canvas_nesting'],
    [list('group', new Array(100_000).fill(sig())), 'is one more signature than the 100000 of worker_max_canvas_items'],
  ])('names the field of what is wrong: %#', (given, message) => {
    expect(() => parseSignatures([given], 'chain')).toThrow(message)
  })

  it('comes to an end with a canvas that has itself in it many times', () => {
    const wide = list('group', [])
    ;(wide.kwargs as { tasks: unknown[] }).tasks = new Array(50).fill(wide)
    expect(() => parseSignature(wide)).toThrow(/is nested deeper|is one more signature/)
  })
})

describe('canvasMessage', () => {
  const message = (options: object): ReturnType<typeof canvasMessage> =>
    canvasMessage('a', { args: [], kwargs: {}, options: { ...options } }, () => 'new')

  it('reads the keywords of apply_async', () => {
    const options = {
      ...{ task_id: 't', queue: 'q', priority: 3, countdown: 1.5, expires: 60, time_limit: 30, soft_time_limit: 20 },
      ...{ shadow: 's', group_id: 'g', group_index: 2, root_id: 'r', parent_id: 'p', reply_to: 'm', retries: 1 },
      ...{ ignore_result: true, replaced_task_nesting: 4, stamped_headers: ['site'], site: 'x', headers: { a: 1 } },
    }
    expect(message(options)).toMatchObject({
      ...{ id: 't', queue: 'q', priority: 3, countdown: 1.5, expires: 60, rootId: 'r', parentId: 'p', replyTo: 'm' },
      ...{ ignoreResult: true, headers: { a: 1 } },
      canvas: {
        ...{ shadow: 's', groupId: 'g', groupIndex: 2, retries: 1, timelimit: [30, 20], replacedTaskNesting: 4 },
        ...{ stampedHeaders: ['site'], stamps: { site: 'x' } },
      },
    })
  })

  it('takes null for not given, and an end of a chain for an end', () => {
    expect(message({ root_id: null, task_id: null, chain: [], priority: null })).toMatchObject({
      id: 'new',
      rootId: null,
      priority: undefined,
      canvas: { embed: { callbacks: null, errbacks: null, chain: [], chord: null } },
    })
  })

  it('reads times as text and as dates', () => {
    const time = new Date('2026-11-29T02:00:00.500Z')
    expect(message({ eta: '2026-11-29T02:00:00.500000+00:00', expires: time })).toMatchObject({
      eta: time,
      expires: time,
    })
  })

  it.each([
    [{ queue: 5 }, 'a.options.queue must be a text'],
    [{ priority: 'high' }, 'a.options.priority must be a number'],
    [{ eta: 'soon' }, 'a.options.eta must be an ISO 8601 time'],
    [{ headers: [] }, 'a.options.headers must be a mapping'],
    [{ stamped_headers: 'x' }, 'a.options.stamped_headers must be a list of texts'],
  ])('names the option that is wrong: %j', (options, fault) => {
    expect(() => message(options)).toThrow(fault)
  })
})
