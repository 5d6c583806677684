import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { TaskContext } from '../../lib/app/context.js'
import { group as built, Celery, chain as steps } from '../../lib/index.js'
import { type TestWorker, testWorker } from '../../lib/testing/testWorker.js'
import { waitFor } from '../support/waitFor.js'

type Dict = Record<string, unknown>

/** Signatures as Python writes them. */
const sig = (task: string, args: unknown[] = [], options: Dict = {}, immutable = false): Dict => ({
  ...{ task, args, kwargs: {}, options, subtask_type: null, immutable },
})
const list = (kind: string, tasks: Dict[], options: Dict = {}): Dict => ({
  ...sig(`celery.${kind}`, [], options),
  kwargs: { tasks },
  subtask_type: kind,
})
const chain = (...tasks: Dict[]): Dict => list('chain', tasks)
const group = (...tasks: Dict[]): Dict => list('group', tasks)
const chord = (header: Dict[], body: Dict): Dict => ({
  ...sig('celery.chord'),
  kwargs: { kwargs: {}, header, body },
  subtask_type: 'chord',
})

describe('a worker runs canvases', () => {
  let here: TestWorker
  let app: Celery
  let told: unknown[]

  beforeEach(async () => {
    told = []
    app = new Celery('canvas', {})
    app.task('add', (x: number, y: number) => x + y)
    app.task('mul', (x: number, y: number) => x * y)
    app.task('tsum', (all: number[]) => all.flat().reduce((sum, one) => sum + one, 0))
    app.task('list', (...all: unknown[]) => all)
    app.task('fail', (..._: unknown[]) => {
      throw new RangeError('boom')
    })
    app.task('tell', (what: unknown) => {
      told.push(what)
      return what
    })
    app.task('told', { params: ['request', 'error', 'traceback', 'more?'] }, (request, error, traceback, more) => {
      const { id } = request as { id: string }
      told.push([id, (error as Error).message, typeof traceback, more])
    })
    here = await testWorker(app, { concurrency: 4 })
  })

  afterEach(() => here.stop())

  const run = async (dict: Dict): Promise<unknown> => (await app.signature(dict).applyAsync([])).get({ timeout: 10 })

  it.each([
    ['a chain', chain(sig('add', [1, 1]), sig('add', [3]), sig('mul', [2])), 10],
    ['an immutable step', chain(sig('add', [1, 1]), sig('add', [5, 5], {}, true)), 10],
    [
      'a chain of chains',
      chain(chain(sig('add', [1, 1]), sig('mul', [3])), chain(sig('mul', [2]), sig('add', [1]))),
      13,
    ],
    ['a group', group(sig('add', [1, 1]), sig('add', [2, 2])), [2, 4]],
    ['a group at the end', chain(sig('add', [1, 1]), group(sig('mul', [2]), sig('mul', [3]))), [4, 6]],
    ['a group in the middle', chain(sig('add', [1, 1]), group(sig('mul', [2]), sig('mul', [3])), sig('tsum')), 10],
    [
      'two groups',
      chain(
        group(sig('add', [1, 1]), sig('add', [2, 2])),
        sig('tsum'),
        group(sig('mul', [2]), sig('mul', [3])),
        sig('tsum'),
      ),
      30,
    ],
    [
      'groups one after the other',
      chain(group(sig('add', [1, 1]), sig('add', [2, 2])), group(sig('tsum'), sig('tsum'))),
      [6, 6],
    ],
    ['a chord', chord([sig('add', [1, 1]), sig('add', [2, 2])], sig('tsum')), 6],
    [
      'a chord of chains',
      chord([chain(sig('add', [1, 1]), sig('mul', [3])), sig('add', [2, 2])], sig('list')),
      [[6, 4]],
    ],
    [
      'a chord with a chain for a body',
      chord([sig('add', [1, 1]), sig('add', [2, 2])], chain(sig('tsum'), sig('mul', [10]))),
      60,
    ],
    ['a chord with a group for a body', chord([sig('add', [1, 1])], group(sig('tsum'), sig('list'))), [2, [[2]]]],
    [
      'a chord of chords',
      chord([chord([sig('add', [1, 1]), sig('add', [2, 2])], sig('tsum')), sig('add', [3, 3])], sig('list')),
      [[6, 6]],
    ],
    [
      'a chord with a chord for a body',
      chord([sig('add', [1, 1])], chord([sig('tsum'), sig('tsum')], sig('list'))),
      [[2, 2]],
    ],
    [
      'a chord with a group in its header',
      chord([group(sig('add', [1, 1]), sig('add', [2, 2])), sig('add', [3, 3])], sig('tsum')),
      12,
    ],
    [
      'a chord of a chain that ends in a group',
      chord([chain(sig('add', [1, 1]), group(sig('mul', [2]), sig('mul', [3]))), sig('add', [3, 3])], sig('list')),
      [[[4, 6], 6]],
    ],
    [
      'a chord within a chain',
      chain(sig('add', [1, 1]), chord([sig('mul', [2]), sig('mul', [3])], sig('tsum')), sig('mul', [2])),
      20,
    ],
    ['an empty header', chord([], sig('list')), [[]]],
  ])('%s', async (_, dict, result) => {
    expect(await run(dict)).toEqual(result)
  })

  it('sends one callback, or several as a group, before the result is stored', async () => {
    const one = await app.signature(sig('add', [1, 1], { link: [sig('tell')] })).applyAsync([])
    await one.get({ timeout: 5 })
    await waitFor(() => told.length === 1, { what: 'the callback' })
    expect(told).toEqual([2])
    const links = [chain(sig('mul', [2]), sig('tell')), sig('tell', ['late'], {}, true)]
    const two = await app.signature(sig('add', [2, 2], { link: links })).applyAsync([])
    await two.get({ timeout: 5 })
    await waitFor(() => told.length === 3, { what: 'both callbacks' })
    expect(told.slice(1).sort()).toEqual([8, 'late'])
  })

  it('tells a failure to what takes the error in place, and sends its id to all others', async () => {
    const errbacks = [sig('tell'), sig('told', ['more']), sig('tell', ['own'], {}, true), sig('elsewhere')]
    const failed = await app.signature(sig('fail', [], { link_error: errbacks, task_id: 'failing' })).applyAsync([])
    await expect(failed.get({ timeout: 5 })).rejects.toThrow('boom')
    await waitFor(() => told.length === 3, { what: 'the error callbacks' })
    expect(told).toEqual(expect.arrayContaining(['failing', 'own', ['failing', 'boom', 'string', 'more']]))
    await waitFor(() => here.log.of('ERROR').some((line) => line.includes("of type 'elsewhere'")), {
      what: 'the one that is not here',
    })
  })

  it('fails the steps that never run', async () => {
    const steps = [sig('add', [1, 1]), sig('fail'), sig('add', [1], { task_id: 'third' }), sig('add', [1])]
    const last = await app.signature(chain(...steps)).applyAsync([])
    await expect(last.get({ timeout: 5 })).rejects.toThrow('boom')
    // It may be stored after the last one.
    await expect(app.asyncResult('third').get({ timeout: 5 })).rejects.toThrow('boom')
  })

  it('fails the body of a chord whose header fails, once, and tells its error callback', async () => {
    const body = sig('tsum', [], { link_error: [sig('tell')], task_id: 'body' })
    const result = await app
      .signature(chord([sig('add', [1, 1]), sig('fail', [], { task_id: 'culprit' })], body))
      .applyAsync([])
    await expect(result.get({ timeout: 5 })).rejects.toThrow("Dependency culprit raised ValueError('boom')")
    await waitFor(() => told.length > 0, { what: 'the error callback' })
    expect(told).toEqual(['body'])
  })

  it('ends what waits for a chord within a chord when the inner header fails', async () => {
    const inner = chord([sig('fail'), sig('add', [1, 1])], sig('tsum'))
    await expect(run(chord([inner, sig('add', [1, 1])], chain(sig('tsum'), sig('mul', [2]))))).rejects.toThrow(
      'ChordError',
    )
  })

  it('knows what a task has sent', async () => {
    const parent = await app.signature(chain(sig('add', [1, 1], { task_id: 'first' }), sig('add', [1]))).applyAsync([])
    await parent.get({ timeout: 5 })
    const children = await app.asyncResult('first').children()
    expect(children.map(({ id }) => id)).toEqual([parent.id])
  })

  it('knows before it is sent what stands for its result', async () => {
    const whole = app.signature(chord([sig('add', [1, 1]), chain(sig('add', [1, 1]), sig('mul', [3]))], sig('tsum')))
    const result = whole.freeze()
    const { parent } = await whole.delay()
    expect(parent?.id).toBe(result.parent?.id)
    expect(await result.get({ timeout: 10 })).toBe(8)
    expect(await result.parent?.get({ timeout: 10 })).toEqual([2, 6])
  })

  it('collects what has come of it', async () => {
    const steps = chain(
      sig('add', [1, 1], { task_id: 'collected' }),
      group(sig('mul', [2]), sig('mul', [3])),
      sig('tsum'),
    )
    await run(steps)
    const values: unknown[] = []
    for await (const [, value] of app.asyncResult('collected').collect({ timeout: 10 })) values.push(value)
    // The body is a child of whichever member ended last.
    expect(values).toEqual([2, [4, 6], 4, 6, 10].slice(0, values.length))
    expect(values.length).toBeGreaterThan(3)
    expect(() => app.asyncResult('collected').collect(5 as never)).toThrow('collect(5): write collect({ timeout: 5 })')
  })

  it('tells a task what it has sent so far, which are the children of its result', async () => {
    app.task('sends', { bind: true }, async (self: TaskContext) => {
      const none = self.startedChildren.length
      await app.sendTask('add', [1, 1], {}, { taskId: 'by-name' })
      await app.signature(group(sig('add', [1], { task_id: 'm' }), sig('add', [2])), [], {}, { taskId: 'g' }).delay(1)
      const [first, second] = self.startedChildren
      expect(self.request.children).toEqual([first, second])
      return [
        none,
        first?.toJSON(),
        second?.toJSON(),
        await first?.get({ timeout: 5 }),
        await second?.get({ timeout: 5 }),
      ]
    })
    const result = await app.signature(sig('sends', [], { task_id: 'starter' })).applyAsync([])
    const [none, first, second, one, two] = (await result.get({ timeout: 5 })) as unknown[]
    expect([none, first, one, two]).toEqual([0, [['by-name', null], null], 2, [2, 3]])
    expect(second).toEqual([
      ['g', null],
      [[['m', null], null], expect.anything()],
    ])
    const children = await app.asyncResult('starter').children()
    expect(children.map((child) => child.toJSON())).toEqual([first, second])
  })

  describe('a task that is replaced', () => {
    beforeEach(() => {
      app.task('instead', { bind: true }, (self: TaskContext, what: Dict) => {
        throw self.replace(app.signature(what))
      })
    })

    const instead = (what: Dict, options: Dict = {}): Dict => sig('instead', [what], options, true)

    it.each([
      ['by a task', instead(sig('add', [1, 1])), 2],
      ['by a chain', instead(chain(sig('add', [1, 1]), sig('mul', [3]))), 6],
      ['by a group', instead(group(sig('add', [1, 1]), sig('add', [2, 2]))), [2, 4]],
      ['by a chord', instead(chord([sig('add', [1, 1]), sig('add', [2, 2])], sig('tsum'))), 6],
      ['by one that is replaced', instead(instead(sig('add', [1, 1]))), 2],
      ['by a chain within a chain', chain(instead(chain(sig('add', [1, 1]), sig('mul', [3]))), sig('mul', [10])), 60],
      ['by a chain that ends in a group', instead(chain(sig('add', [1, 1]), group(sig('mul', [2])))), [4]],
      [
        'by a chord that ends in a group',
        instead(chord([sig('add', [1, 1])], chain(sig('tsum'), group(sig('mul', [2]), sig('mul', [3]))))),
        [4, 6],
      ],
      ['by a group within a chain', chain(instead(group(sig('add', [1, 1]), sig('add', [2, 2]))), sig('tsum')), 6],
      [
        'in the header of a chord',
        chord([instead(chain(sig('add', [1, 1]), sig('mul', [3]))), sig('add', [2, 2])], sig('list')),
        [[6, 4]],
      ],
      [
        'by a group in the header of a chord',
        chord([instead(group(sig('add', [1, 1]), sig('add', [2, 2])))], sig('list')),
        [[[2, 4]]],
      ],
    ])('has the result of what it is replaced %s', async (_, dict, result) => {
      expect(await run(dict)).toEqual(result)
    })

    it('has an empty list if it is replaced by a group that turned out empty', async () => {
      app.task('spread', { bind: true }, (self: TaskContext, numbers: number[]) => {
        throw self.replace(built(numbers.map((number) => app.signature('add', [number, 1]))))
      })
      expect(await run(sig('spread', [[]]))).toEqual([])
      expect(await run(chain(sig('spread', [[]]), sig('tsum')))).toBe(0)
      expect(await run(sig('spread', [[1, 2]]))).toEqual([2, 3])
    })

    it('hands its callbacks on', async () => {
      const links = { link: [sig('tell')] }
      await app.signature(instead(chain(sig('add', [1, 1]), sig('mul', [3])), links)).applyAsync([])
      await waitFor(() => told.length > 0, { what: 'the callback' })
      expect(told).toEqual([6])
    })

    it('fails if nothing can take its place', async () => {
      await expect(run(instead(chain()))).rejects.toThrow('Cannot replace with an empty chain')
    })
  })

  it('gives an empty list to what follows an empty group', async () => {
    const total = app.signature<number>('tsum')
    const sent = [await built([]).pipe(total).delay(), await steps(built([]), total).delay()]
    expect(await Promise.all(sent.map((result) => result.get({ timeout: 10 })))).toEqual([0, 0])
  })

  it('has the tasks that every app of Celery has', async () => {
    expect(await run({ ...sig('celery.map'), kwargs: { task: sig('tell'), it: [1, 2] } })).toEqual([1, 2])
    expect(
      await run({
        ...sig('celery.starmap'),
        kwargs: {
          task: sig('add'),
          it: [
            [1, 2],
            [3, 4],
          ],
        },
      }),
    ).toEqual([3, 7])
    expect(await run(sig('celery.accumulate', [1, 2]))).toEqual([1, 2])
    await expect(run(sig('celery.chain'))).rejects.toThrow('chain is not a real task')
    expect(await run(sig('celery.backend_cleanup'))).toBeNull()
  })

  it("has Celery's tasks for groups and chords, that old clients send", async () => {
    const members = [sig('add', [1], { task_id: 'one' }), sig('add', [2], { task_id: 'two' })]
    const tuples = [
      [['one', null], null],
      [['two', null], null],
    ]
    const kwargs = { tasks: members, result: [['many', null], tuples], group_id: 'many', partial_args: [10] }
    expect(await run({ ...sig('celery.group', [], { task_id: 'sender' }), kwargs })).toEqual([['many', null], tuples])
    expect(await Promise.all(['one', 'two'].map((id) => app.asyncResult(id).get({ timeout: 10 })))).toEqual([11, 12])
    const sent = here.sent.of('add').map(({ headers, parentId }) => [headers.group, parentId])
    expect(sent).toEqual([
      ['many', 'sender'],
      ['many', 'sender'],
    ])
    const [child, ...others] = await app.asyncResult('sender').children()
    expect([child?.toJSON(), others]).toEqual([[['many', null], tuples], []])
    await expect(run({ ...sig('celery.group'), kwargs: { ...kwargs, result: 'x' } })).rejects.toThrow(
      'result must be the result of a group',
    )
    const more = Array.from({ length: 1000 }, (_, at) => [[`other-${at}`, null], null])
    const result = [
      ['many', 5],
      [...tuples, ...more],
    ]
    const again = { ...kwargs, result, tasks: members.map((member) => ({ ...member, options: {} })) }
    expect(await run({ ...sig('celery.group', [], { task_id: 'lavish' }), kwargs: again })).toEqual([
      ['many', null],
      here.sent
        .of('add')
        .slice(2)
        .map(({ id }) => [[id, null], null]),
    ])
    expect((await app.asyncResult('lavish').children()).map(({ id }) => id)).toEqual(['many'])
    const body = sig('tsum', [], { task_id: 'chorded' })
    const chorded = { header: members.map(({ task, args }) => sig(task as string, args as unknown[])), body }
    expect(await run({ ...sig('celery.chord'), kwargs: { ...chorded, partial_args: [10] } })).toEqual([
      [
        'chorded',
        [
          [expect.any(String), null],
          [expect.anything(), expect.anything()],
        ],
      ],
      null,
    ])
    expect(await app.asyncResult('chorded').get({ timeout: 10 })).toBe(23)
  })

  it('tells a task what its message says of the canvas', async () => {
    app.task('seen', { bind: true }, ({ request }: TaskContext) => {
      const { callbacks, chain, chord, groupIndex, replacedTaskNesting, stamps, timelimit } = request
      return [callbacks.length, chain.length, chord?.task, groupIndex, replacedTaskNesting, stamps, timelimit]
    })
    const seen = sig('seen', [], { link: [sig('tell')], time_limit: 30, stamped_headers: ['site'], site: 'x' })
    expect(await run(chord([seen], sig('list')))).toEqual([[[1, 0, 'list', 0, 0, { site: 'x' }, [30, null]]]])
  })
})
