import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { currentRun } from '../../lib/app/current.js'
import { type AnyResult, Celery, chain, chord, group, type Signature, SignatureError } from '../../lib/index.js'
import type { ChordStore, GroupStore } from '../../lib/ports.js'
import type { OutgoingMessage } from '../../lib/protocol/amqp.js'
import { decode } from '../../lib/protocol/decode.js'
import { encodeGroup } from '../../lib/protocol/groupResult.js'
import type { TaskMessage } from '../../lib/protocol/message.js'
import { encodeResult, type ResultTuple, resultMeta } from '../../lib/protocol/result.js'
import { KeptMessages } from '../support/keptMessages.js'
import { MemoryBackend } from '../support/memoryBackend.js'

const LIMITS = { accept: ['json'], maxSize: 1e6, maxNesting: 100, maxItems: 1e5, maxHeaders: 1e3 }
const app = new Celery('workflow', { broker_url: 'memory://' })
const add = app.task('add', (x: number, y: number) => x + y)
const double = app.task(
  'double',
  { queue: 'doubles', ignoreResult: true, timeLimit: 30, softTimeLimit: 20 },
  (n: number) => 2 * n,
)
const sum = app.task('sum', (all: readonly number[]) => all.length)
const show = app.task('show', { kwargs: true }, ({ text }: { text: string }) => text)
const note = app.task('note', () => undefined)

/** What a signature is over the wire. */
const form = (sig: Signature<never, unknown, unknown>): unknown => JSON.parse(JSON.stringify(sig))
const plain = (task: string, args: unknown[], more: object = {}): object => ({
  task,
  args,
  kwargs: {},
  options: {},
  subtask_type: null,
  immutable: false,
  ...more,
})

describe('a signature', () => {
  it("has Celery's form, with its fields in their order", () => {
    expect(JSON.stringify(add.s(2))).toBe(
      '{"task":"add","args":[2],"kwargs":{},"options":{},"subtask_type":null,"immutable":false}',
    )
    expect(form(add.si(1, 2))).toEqual(plain('add', [1, 2], { immutable: true }))
    expect(form(show.s({ text: 'a' }))).toEqual(plain('show', [], { kwargs: { text: 'a' } }))
    expect(form(show.si({ text: 'a' }))).toEqual(plain('show', [], { kwargs: { text: 'a' }, immutable: true }))
    expect(form(app.declare<(n: number) => number>('py').s(1))).toEqual(plain('py', [1]))
    expect(form(add.signature([1], { y: 2 }, { queue: 'q' }))).toEqual(
      plain('add', [1], { kwargs: { y: 2 }, options: { queue: 'q' } }),
    )
  })

  it("has options by Celery's names", () => {
    const sig = add.s(1, 2).set({
      taskId: 'i',
      routingKey: 'k',
      countdown: 3,
      eta: new Date(Date.UTC(2030, 0, 1)),
      expires: new Date(Date.UTC(2031, 0, 1)),
      timeLimit: 9,
      softTimeLimit: 8,
      replyTo: 'r',
      ignoreResult: true,
      retry: true,
      retryPolicy: { maxRetries: null, intervalStep: 2 },
      stamps: { build: 7 },
      link: double.s(),
      linkError: [note.si()],
    })
    expect(form(sig)).toMatchObject({
      options: {
        task_id: 'i',
        routing_key: 'k',
        countdown: 3,
        eta: '2030-01-01T00:00:00.000+00:00',
        expires: '2031-01-01T00:00:00.000+00:00',
        time_limit: 9,
        soft_time_limit: 8,
        reply_to: 'r',
        ignore_result: true,
        retry: true,
        retry_policy: { max_retries: null, interval_step: 2 },
        build: 7,
        stamped_headers: ['build'],
        link: [plain('double', [])],
        link_error: [plain('note', [], { immutable: true })],
      },
    })
  })

  it('is changed by link, linkError, stamp and set, and its clone is not', () => {
    const sig = add.s(1, 2)
    const clone = sig.clone()
    expect(
      sig
        .link(double.s())
        .linkError(note.si())
        .set({ priority: 3 })
        .stamp({ a: 1 })
        .stamp({ b: [2] }),
    ).toBe(sig)
    expect(form(sig)).toMatchObject({
      options: {
        priority: 3,
        a: 1,
        b: [2],
        stamped_headers: ['a', 'b'],
        link: [{ task: 'double', options: { a: 1, b: [2], stamped_headers: ['a', 'b'] } }],
      },
    })
    expect(form(clone)).toEqual(plain('add', [1, 2]))
  })

  it('comes out of its form again', () => {
    const whole = chord([add.s(1, 2), chain(add.s(1, 2), double.s())], sum.s()).link(note.si())
    expect(form(app.signature(JSON.parse(JSON.stringify(whole))))).toEqual(form(whole))
    expect(form(app.signature('py', [1], { a: 2 }, { queue: 'q' }))).toEqual(
      plain('py', [1], { kwargs: { a: 2 }, options: { queue: 'q' } }),
    )
    expect(() => app.signature({ task: 5 })).toThrow(SignatureError)
    expect(() => app.signature({ task: 5 })).toThrow('signature.task must be a non-empty string')
  })

  it.each<[string, () => unknown, string]>([
    ['an option', () => add.s(1, 2).set({ qeue: 'q' } as never), 'add: qeue is not an option; did you mean queue?'],
    ['a link', () => add.s(1, 2).set({ link: double as never }), 'add: link is'],
    ['a link', () => add.s(1, 2).link(double as never), 'expected a signature, such as task.s(1), and got'],
    ['a task as a step', () => chain([add.s(1, 2), double as never]), 'chain: place 2: expected a signature'],
    ['a task as a step', () => chain([add.s(1, 2), double as never]), '; write double.s(...)'],
    ['no step', () => chain([]), 'chain: expected one step at least'],
    ['a dict', () => group([plain('a', []) as never]), 'group: place 1: expected a signature'],
    ['no body', () => chord([add.s(1, 2)], undefined as never), "chord's body: expected a signature"],
    ['a size', () => add.chunks([[1, 2]], 0), 'add.chunks: the size is 0: expected a whole number of at least 1'],
    ['a stamp', () => add.s(1, 2).stamp({ queue: 'q' }), 'stamps: queue is the name of an option'],
    ['two objects', () => show.s(...([{}, {}] as never as [{ text: string }])), 'show.s: expected one object'],
  ])('that is wrong is an error where it is written: %s', (_, make, text) => {
    expect(make).toThrow(TypeError)
    expect(make).toThrow(text)
  })
})

describe('workflows', () => {
  it('are dicts of their parts', () => {
    const two = [plain('add', [1, 2]), plain('double', [])]
    const listed = (kind: string, tasks: unknown[]): object =>
      plain(`celery.${kind}`, [], { kwargs: { tasks }, subtask_type: kind })
    expect(form(chain(add.s(1, 2), double.s()))).toEqual(listed('chain', two))
    expect(form(add.s(1, 2).pipe(double.s()))).toEqual(listed('chain', two))
    expect(form(chain(chain(add.s(1, 2), double.s()), double.s()))).toEqual(listed('chain', [...two, two[1]]))
    expect(form(chain(add.s(1, 2)))).toEqual(two[0])
    expect(form(group(add.s(1, 2), double.s(1)))).toEqual(listed('group', [two[0], plain('double', [1])]))
    const header = listed('group', [two[0]])
    const chorded = plain('celery.chord', [], {
      kwargs: { kwargs: {}, header, body: plain('sum', []) },
      subtask_type: 'chord',
    })
    expect(form(chord([add.s(1, 2)], sum.s()))).toEqual(chorded)
    expect(form(chord(group(add.s(1, 2)), sum.s()))).toEqual(chorded)
    expect(form(group(add.s(1, 2)).pipe(sum.s()))).toEqual(chorded)
  })

  it('have the members of groups in a group as their own, with what was set for those groups', () => {
    const inner = group(double.s(4), group(double.s(5))).set({ queue: 'q' })
    const set = { options: { queue: 'q' } }
    const members = [plain('add', [1, 2]), plain('double', [4], set), plain('double', [5], set)]
    expect(form(group(add.s(1, 2), inner))).toMatchObject({ kwargs: { tasks: members } })
    expect(form(chord(group(add.s(1, 2), inner), sum.s()))).toMatchObject({
      kwargs: { header: { kwargs: { tasks: members } } },
    })
    expect(form(inner)).toMatchObject({
      options: { queue: 'q' },
      kwargs: { tasks: [plain('double', [4]), plain('double', [5])] },
    })
  })

  it('over many items are tasks of Celery itself', () => {
    const one = (name: string, it: unknown): object =>
      plain(`celery.${name}`, [], { kwargs: { task: plain('add', []), it }, immutable: true })
    expect(form(add.starmap([[1, 2]]))).toEqual(one('starmap', [[1, 2]]))
    expect(form(add.map([1, 2]))).toEqual(one('map', [1, 2]))
    const pairs: Array<[number, number]> = [
      [1, 2],
      [3, 4],
      [5, 6],
    ]
    const chunks = add.chunks(pairs, 2)
    expect([chunks.task, chunks.subtaskType]).toEqual(['celery.chunks', null])
    expect(form(chunks)).toEqual(
      plain('celery.chunks', [], { kwargs: { task: plain('add', []), it: pairs, n: 2 }, immutable: true }),
    )
    const members = { tasks: [one('starmap', pairs.slice(0, 2)), one('starmap', pairs.slice(2))] }
    const group = plain('celery.group', [], { kwargs: members, subtask_type: 'group' })
    expect(form(chunks.group())).toEqual(group)
    expect(form(chunks.pipe(note.signature([])))).toMatchObject({ task: 'celery.chord', kwargs: { header: group } })
    const copy = chunks.clone().set({ queue: 'q' })
    expect(form(copy)).toMatchObject({ task: 'celery.chunks', options: { queue: 'q' } })
    expect(form(copy.group())).toMatchObject({ options: { queue: 'q' } })
    expect(form(chunks)).toMatchObject({ options: {} })
  })
})

describe('a workflow that is sent', () => {
  let kept: KeptMessages
  let backend: MemoryBackend

  beforeEach(() => {
    backend = new MemoryBackend()
    kept = new KeptMessages(backend)
    kept.keep(app)
  })

  afterEach(() => kept.stop())

  const read = ({ content, properties }: OutgoingMessage): TaskMessage => decode(properties, content, LIMITS)
  const sent = (): TaskMessage[] => kept.messages.map(read)

  it('is one message of a task, with what the call gives in front and on top', async () => {
    const result = await add.s(2).applyAsync([1], {}, { priority: 5, taskId: 'id' })
    expect(result.id).toBe('id')
    const [message] = sent()
    expect(message).toMatchObject({ id: 'id', task: 'add', args: [1, 2], rootId: 'id', parentId: null })
    expect(message?.properties).toMatchObject({ priority: 5, replyTo: app.oid })
  })

  it("heeds the task's own options, and the signature's", async () => {
    await double.s(1).delay()
    await double.s(1).set({ queue: 'other', ignoreResult: false, timeLimit: 10 }).delay()
    expect(kept.messages.map(({ routingKey }) => routingKey)).toEqual(['doubles', 'other'])
    expect(sent().map(({ ignoreResult }) => ignoreResult)).toEqual([true, false])
    // A soft limit beyond the hard one never passes; Celery sends it as well.
    expect(sent().map(({ timelimit }) => timelimit)).toEqual([
      [30, 20],
      [10, 20],
    ])
  })

  it('carries the rest of a chain, the next one last, whose results are parents of one another', async () => {
    const result = await chain(add.s(1, 2), double.s(), show.si({ text: 'a' })).delay()
    const [message, ...others] = sent()
    expect(others).toEqual([])
    expect(message?.embed.chain).toMatchObject([
      { task: 'show', kwargs: { text: 'a' }, immutable: true, options: { task_id: result.id } },
      { task: 'double', options: { task_id: result.parent?.id } },
    ])
    expect(result.parent?.parent?.id).toBe(message?.id)
    expect(result.parent?.parent?.parent).toBeNull()
  })

  it('is as many messages as a group has members', async () => {
    const result = await group(add.s(1, 2), double.s(3)).delay()
    expect(sent()).toMatchObject([
      { id: result.results[0]?.id, task: 'add', group: result.id, headers: { group_index: 0 } },
      { id: result.results[1]?.id, task: 'double', group: result.id, headers: { group_index: 1 } },
    ])
    expect(result.length).toBe(2)
  })

  it('carries links beside a call by name, too', async () => {
    await app.sendTask('py', [1], {}, { link: double.s(), linkError: [note.si(), note.si()] })
    await add.applyAsync([1, 2], {}, { link: [double.s()] })
    const [first, second] = sent()
    expect(first?.embed).toMatchObject({
      callbacks: [plain('double', [])],
      errbacks: [{ task: 'note' }, { task: 'note' }],
    })
    expect(second?.embed).toMatchObject({ callbacks: [plain('double', [])], errbacks: null })
  })

  it.each<[string, () => Signature<readonly [], unknown, AnyResult>]>([
    ['a task', () => add.s(1, 2)],
    ['a chain', () => chain(add.s(1, 2), double.s())],
    ['a group', () => group(add.s(1, 2), double.s(1))],
    ['a group of groups', () => group(group(add.s(1, 2), double.s(1)), double.s(2))],
    ['a chain with a group in it', () => chain(add.s(1, 2), group(double.s(), double.s()))],
    ['chunks', () => add.chunks([[1, 2]], 1)],
  ])('has the result that it had before, once it has its ids: %s', async (_, make) => {
    const sig = make()
    const before = sig.freeze()
    expect(sig.freeze().toJSON()).toEqual(before.toJSON())
    const after = await sig.delay()
    expect(after.toJSON()).toEqual(before.toJSON())
    expect(JSON.stringify(before.toJSON())).toContain(sent()[0]?.id)
  })

  it('is routed by what it calls many times', async () => {
    await double.map([1]).delay()
    expect(kept.messages.map(({ routingKey }) => routingKey)).toEqual(['celery'])
    const routed = new Celery('routed', { broker_url: 'memory://', task_routes: { double: 'routed' } })
    kept.keep(routed)
    await routed.declare<(n: number) => number>('double').map([1]).delay()
    expect(kept.messages.at(-1)?.routingKey).toBe('routed')
  })

  it('is of the task that it is sent from, which has it among its children', async () => {
    const children: ResultTuple[] = []
    const run = { id: 'parent', rootId: 'root', worker: 'w', children }
    const [step, both, byName] = await currentRun.run(run, async () => [
      await chain(add.s(1, 2), double.s()).delay(),
      await group(add.s(1, 2), double.s(3)).delay(),
      await app.sendTask('py'),
    ])
    expect(sent().map(({ parentId, rootId }) => [parentId, rootId])).toEqual(new Array(4).fill(['parent', 'root']))
    const first = step.parent?.id
    expect(children).toEqual([
      [[first, null], null],
      [[both.id, null], both.results.map(({ id }) => [[id, null], null])],
      [[byName.id, null], null],
    ])
  })

  it('can be stored among the children of its task, however long the chains in it are', async () => {
    const children: ResultTuple[] = []
    const run = { id: 'parent', rootId: 'root', worker: 'w', children }
    const steps = Array.from({ length: 600 }, () => note.si())
    const { results } = await currentRun.run(run, () => group(chain(steps), note.si()).delay())
    const text = encodeResult(resultMeta({ taskId: 'parent', status: 'SUCCESS', result: null, children }, 0))
    expect(text).toContain(results[0]?.id)
    expect(text).toContain(results[0]?.parent?.id)
  })

  it('can be kept as the header of a chord, however long the chains in it are', async () => {
    const groups = { save: jest.fn<GroupStore['save']>(), restore: async () => null, delete: async () => undefined }
    const chords = { setSize: async () => undefined } as Partial<ChordStore> as ChordStore
    const counting = new KeptMessages(Object.assign(new MemoryBackend(), { chords, groups }))
    const own = new Celery('chords', { broker_url: 'memory://' })
    counting.keep(own)
    const step = own.task('step', () => undefined)
    const steps = Array.from({ length: 600 }, () => step.si())
    await chord([chain([...steps, group(step.si(), step.si())])], own.declare<() => null>('body').si()).delay()
    const [[, header] = []] = groups.save.mock.calls
    if (header === undefined) throw new Error('no header was kept')
    expect(encodeGroup(header)).toContain(header[1]?.[0]?.[0][0])
  })

  it('is refused before anything is sent where no chord can be counted', async () => {
    await expect(chord([add.s(1, 2)], sum.s()).delay()).rejects.toThrow(
      /^The "memory" result backend does not support chords!\n\nNote/,
    )
    await expect(chain(add.s(1, 2), group(double.s(), double.s()), sum.s()).delay()).rejects.toThrow(/support chords/)
    expect(kept.messages).toEqual([])
  })

  it('of nothing can not be sent', async () => {
    await expect(group([]).delay()).rejects.toThrow('this task or workflow belongs to no app that could send it')
  })
})

it('a chord may be the first thing that a program sends', async () => {
  const first = new Celery('first', { broker_url: 'memory://first-chord', result_backend: 'cache+memory://' })
  const one = first.task('one', () => 1)
  const all = first.task('all', (ones: readonly number[]) => ones.length)
  try {
    expect((await chord([one.s(), one.s()], all.s()).delay()).id).toMatch(/^[\da-f-]{36}$/)
  } finally {
    await first.close()
  }
})
