import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { type Celery, chain, chord, GroupResult, group } from '../../lib/index.js'
import { MemoryWorker } from '../support/memoryWorker.js'
import { WORKFLOWS, workflowTasks } from '../support/workflows.js'
import { defineWorkflowTasks } from '../support/workflowTasks.js'

const WAIT = { timeout: 60 }

// What a program's own tests can do without a broker.
describe('workflows on memory://', () => {
  let memory: MemoryWorker
  let app: Celery
  let tasks: ReturnType<typeof workflowTasks>

  beforeAll(async () => {
    memory = await MemoryWorker.start((app) => {
      defineWorkflowTasks(app)
      const { add, double, sum } = workflowTasks(app, ['celery'])
      app.task('wf.launch', async () => {
        const chord = await group(add.s(1, 2), double.s(4)).pipe(sum.s()).delay()
        const both = await group(add.s(1, 2), double.s(4)).delay()
        return [chord.id, both.id]
      })
    })
    app = memory.app
    tasks = workflowTasks(app, ['celery'])
  })

  afterAll(() => memory.stop())

  it.each(WORKFLOWS)('%s', async (_, build, gives) => {
    expect(await (await build(tasks).delay()).get(WAIT)).toEqual(gives)
  })

  it('call a task many times by all that it is defined with', async () => {
    const schema = z.object({ n: z.coerce.number() })
    app.task('wf.named', { kwargs: true, params: ['n'], schema }, async ({ n }) => n + 1)
    const bound = app.task('wf.bound', { bind: true }, (self, n: number) => `${self.request.task} ${n}`)
    const named = app.declare<(n: string) => number>('wf.named')
    expect(await (await named.map(['1', '2']).delay()).get(WAIT)).toEqual([2, 3])
    expect(await (await bound.map([1]).delay()).get(WAIT)).toEqual(['celery.map 1'])
  })

  it.each([
    ['celery.map', { task: { task: 'wf.absent' }, it: [1] }, 'celery.map: this worker has no task wf.absent'],
    ['celery.map', { task: 'wf.add', it: [1] }, 'task must be a mapping'],
    ['celery.map', { task: { task: 'wf.double' }, it: 5 }, 'celery.map: `it` must be a list'],
    ['celery.starmap', { task: { task: 'wf.add' }, it: [1] }, 'celery.starmap: each of `it` must be a list'],
    ['celery.starmap', { task: { task: 'wf.double' }, it: [[1, 2]] }, 'takes 1 positional argument but 2 were given'],
  ])('%s fails for what can not be called: %j', async (name, kwargs, text) => {
    await expect((await app.sendTask(name, [], kwargs)).get(WAIT)).rejects.toThrow(text)
  })

  it('fail as a whole', async () => {
    const { add, caught, double, fail } = tasks
    const taskId = randomUUID()
    const errback = caught.s().set({ taskId })
    const result = await chain(add.s(1, 2), fail.si('broken').linkError(errback), double.s()).delay()
    await expect(result.get(WAIT)).rejects.toThrow('broken')
    expect(await result.state()).toBe('FAILURE')
    expect(await app.asyncResult(taskId).get(WAIT)).toBe(`caught ${result.parent?.id}`)
  })

  it('fail with ChordError where a member of the header fails', async () => {
    const { add, fail, sum } = tasks
    const result = await chord([add.s(1, 2), fail.s('broken')], sum.s()).delay()
    await expect(result.get(WAIT)).rejects.toMatchObject({ excType: 'ChordError' })
  })

  it('sent from a task are its children', async () => {
    const result = await app.sendTask('wf.launch')
    const [chordId, groupId] = (await result.get(WAIT)) as [string, string]
    const children = await result.children()
    expect(children.map(({ id }) => id)).toEqual([expect.any(String), groupId])
    expect(children.every((child) => child instanceof GroupResult)).toBe(true)
    expect(await children[1]?.get(WAIT)).toEqual([3, 8])
    expect(await app.asyncResult(chordId).get(WAIT)).toBe(11)
  })
})
