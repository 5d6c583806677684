import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Celery, chain, chord, group, RemoteError } from '../../lib/index.js'
import { Client } from '../support/client.js'
import { PYTHON } from '../support/peers.js'
import { killAllPrograms, runProgram } from '../support/program.js'
import { brokerUrl, redisUrl } from '../support/services.js'
import { startWorkerProgram } from '../support/workerProgram.js'
import { WORKFLOWS, workflowTasks } from '../support/workflows.js'

const SCRIPT = fileURLToPath(new URL('workflows.py', import.meta.url))
const WAIT = { timeout: 60 }

const RUN_BY: ReadonlyArray<readonly [who: string, workers: ReadonlyArray<'python' | 'own'>]> = [
  ["Python's worker alone", ['python']],
  ['ours alone', ['own']],
  ["Python's and ours in turn", ['python', 'own']],
]

describe.each(RUN_BY)('workflows built in TypeScript, run by %s', (_, workers) => {
  let client: Client
  let app: Celery
  let tasks: ReturnType<typeof workflowTasks>

  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    const queues = await Promise.all(workers.map(() => client.queue()))
    await Promise.all(queues.map((queue, at) => start(workers[at] ?? 'own', queue)))
    app = new Celery('workflows', { broker_url: brokerUrl(), result_backend: redisUrl() })
    tasks = workflowTasks(app, queues)
  })

  afterAll(async () => {
    await app.close()
    await killAllPrograms()
    await client.close()
  })

  async function start(kind: 'python' | 'own', queue: string): Promise<void> {
    if (kind === 'python') {
      await runProgram(PYTHON, [SCRIPT, brokerUrl(), redisUrl(), queue]).waitForOutput(/ ready\./)
      return
    }
    await startWorkerProgram({
      brokerUrl: brokerUrl(),
      app: 'build/apps/workflows.js',
      args: ['-Q', queue, '-c', '4'],
      env: { CELERY_RESULT_BACKEND: redisUrl() },
    })
  }

  it.each(WORKFLOWS)('%s', async (_, build, gives) => {
    const result = await build(tasks).delay()
    expect(await result.get(WAIT)).toEqual(gives)
  })

  it('follow what links lead to', async () => {
    const { add, double, sent } = tasks
    const taskId = randomUUID()
    await sent(add.s(1, 2)).link(sent(double.s()).set({ taskId })).delay()
    expect(await app.asyncResult(taskId).get(WAIT)).toBe(6)
  })

  it('fail as a whole, and tell those who are linked to it', async () => {
    const { add, caught, double, fail, sent } = tasks
    const taskId = randomUUID()
    const errback = sent(caught.s()).set({ taskId })
    const result = await chain(sent(add.s(1, 2)), sent(fail.si('broken')).linkError(errback), sent(double.s())).delay()
    const failure = await result.get({ ...WAIT, propagate: false })
    expect(failure).toBeInstanceOf(RemoteError)
    expect(failure).toMatchObject({ excType: 'ValueError', message: 'broken' })
    expect(await app.asyncResult(taskId).get(WAIT)).toBe(`caught ${result.parent?.id}`)
    expect(await result.parent?.parent?.get(WAIT)).toBe(3)
  })

  it('fail with ChordError where a member of the header fails', async () => {
    const { add, fail, sent, sum } = tasks
    const result = await chord(group(sent(add.s(1, 2)), sent(fail.s('broken'))), sent(sum.s())).delay()
    const failure = await result.get({ ...WAIT, propagate: false })
    expect(failure).toMatchObject({ excType: 'ChordError' })
    expect(String(failure)).toMatch(/Dependency .* raised ValueError\('broken',?\)/)
    expect(await result.parent?.ready()).toBe(true)
    expect(await result.parent?.failed()).toBe(true)
  })

  it('end when they are revoked, begun or not', async () => {
    const { sent, sleep } = tasks
    const result = await group([1, 2, 3].map(() => sent(sleep.s(600)))).delay()
    await result.revoke({ terminate: true, signal: 'SIGTERM' })
    for (const member of result.results) {
      expect(await member.get({ ...WAIT, propagate: false })).toMatchObject({ excType: 'TaskRevokedError' })
    }
  })

  it('tell what each task has sent', async () => {
    const { add, double, sent } = tasks
    const result = await chain(sent(add.s(1, 2)), sent(double.s())).delay()
    await result.get(WAIT)
    // The second step may end before the first one's result is stored.
    await result.parent?.get(WAIT)
    expect((await result.parent?.children())?.map(({ id }) => id)).toEqual([result.id])
  })

  it('tell the members of a group as they become ready, and are found again once saved', async () => {
    const { add, sent } = tasks
    const result = await group([1, 2, 3].map((n) => sent(add.s(n, n)))).delay()
    const seen: Array<[number, number]> = []
    for await (const { index, value } of result.iterate(WAIT)) seen.push([index, value])
    expect(seen.sort()).toEqual([
      [0, 2],
      [1, 4],
      [2, 6],
    ])
    expect(await result.completedCount()).toBe(3)
    await result.save()
    const again = await app.restoreGroup<number>(result.id)
    expect(again?.toJSON()).toEqual(result.toJSON())
    expect(await again?.get(WAIT)).toEqual([2, 4, 6])
    const script = `import sys, celery
from celery.result import GroupResult
app = celery.Celery(broker=sys.argv[1], backend=sys.argv[2])
print(GroupResult.restore(sys.argv[3], app=app).get(timeout=60))
app.GroupResult('of-python-' + sys.argv[3], [app.AsyncResult(sys.argv[4])]).save()`
    const python = runProgram(PYTHON, ['-c', script, brokerUrl(), redisUrl(), result.id, result.results[1]?.id ?? ''])
    expect(await python.exited).toEqual({ code: 0, signal: null })
    expect(python.stdout.trim()).toBe('[2, 4, 6]')
    expect(await (await app.restoreGroup(`of-python-${result.id}`))?.get(WAIT)).toEqual([4])
    await result.delete()
    await result.forget()
    expect(await app.restoreGroup(result.id)).toBeNull()
    expect(await result.ready()).toBe(false)
  })
})
