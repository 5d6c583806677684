import { describe, expect, it } from '@jest/globals'
import type { Child } from '../../lib/executors/child.js'
import { ChildPool } from '../../lib/executors/childPool.js'
import type { FromChild, ToChild } from '../../lib/executors/messages.js'
import { type ResultTuple, taskTuple } from '../../lib/protocol/result.js'
import { StopLimit } from '../../lib/stopLimit.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'
import { PoolHarness } from './poolHarness.js'

/** A child that lives and dies as the spec says. */
class FakeChild implements Child {
  readonly label: string
  readonly loaded: Promise<void>
  readonly gone: Promise<string>
  readonly heard: ToChild[] = []
  killed = false
  onMessage: (message: FromChild) => void = () => undefined
  load: () => void = () => undefined
  die: (how: string) => void = () => undefined

  readonly pid: number

  constructor(readonly id: number) {
    this.pid = id
    this.label = `Process 'Fake-${id}' pid:${id}`
    this.gone = new Promise((resolve) => {
      this.die = resolve
    })
    this.loaded = new Promise((resolve, reject) => {
      this.load = resolve
      void this.gone.then(() => reject(new Error('it died')))
    })
  }

  send(message: ToChild): void {
    this.heard.push(message)
  }

  end(): void {
    this.send({ type: 'end' })
  }

  kill(): void {
    this.killed = true
    this.die('signal 9 (SIGKILL)')
  }

  /** Answers the job that it was given. */
  answer(children: readonly ResultTuple[] = []): void {
    const outcome = { state: 'SUCCESS', result: this.id, runtimeMs: 1 } as const
    this.onMessage({ type: 'done', end: { outcome, calls: [], children, memoryKib: 1 } })
  }
}

const LOAD_MS = 4000

async function started(size = 1, clock = new FakeClock(), stopLimit = new StopLimit(clock, 10_000)) {
  const log = new MemoryLog()
  const children: FakeChild[] = []
  const fault = { now: null as Error | null }
  const make = (): FakeChild => {
    if (fault.now) throw fault.now
    const child = new FakeChild(children.length + 1)
    children.push(child)
    return child
  }
  const harness = PoolHarness.unstarted(
    (options) => new ChildPool({ name: 'prefork', implementation: 'fake', listed: 'processes', make }, options),
    { clock, loadMs: LOAD_MS, log, size, stopLimit },
  )
  const starting = harness.pool.start()
  for (const child of children) child.load()
  await starting
  /** The n-th child that was made, counted from 1. */
  const nth = (n: number): FakeChild => {
    const child = children[n - 1]
    if (!child) throw new Error(`no child ${n} among ${children.length}`)
    return child
  }
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return { clock, fault, log, children, harness, nth, turn }
}

describe('ChildPool', () => {
  it('waits longer and longer before it starts another in the place of a child that did not come up', async () => {
    const { children, clock, log, nth, turn } = await started()
    nth(1).die('exitcode 1')
    await turn()
    expect(children).toHaveLength(2)
    for (const [delayMs, n] of [
      [500, 2],
      [1000, 3],
      [2000, 4],
    ] as const) {
      nth(n).die('exitcode 1')
      await turn()
      clock.advance(delayMs - 1)
      expect(children).toHaveLength(n)
      clock.advance(1)
      expect(children).toHaveLength(n + 1)
    }
    expect(log.of('ERROR')).toEqual([
      "Process 'Fake-1' pid:1 exited with 'exitcode 1'",
      ...[2, 3, 4].map((n) => `Process 'Fake-${n}' pid:${n} didn't start: Exception('it died')`),
    ])
  })

  it('kills a child that never comes up, and starts another in its place', async () => {
    const { children, clock, log, nth, turn } = await started()
    nth(1).die('exitcode 1')
    await turn()
    clock.advance(LOAD_MS - 1)
    expect(nth(2).killed).toBe(false)
    clock.advance(1)
    expect(nth(2).killed).toBe(true)
    await turn()
    clock.advance(500)
    nth(3).load()
    await turn()
    clock.advance(LOAD_MS)
    expect(children.map(({ killed }) => killed)).toEqual([false, true, false])
    expect(log.of('ERROR')).toContain(
      "Process 'Fake-2' pid:2 did not load the app within 4 s (worker_proc_alive_timeout)",
    )
  })

  it('starts another later where the system has no room for one at present', async () => {
    const { children, clock, fault, harness, log, nth, turn } = await started()
    fault.now = new Error('Worker initialization failure: EAGAIN')
    const first = harness.resultOf('cpu.where')
    await turn()
    nth(1).answer()
    expect(await first).toBe(1)
    nth(1).die('exitcode 1')
    await turn()
    expect(log.of('ERROR').at(-1)).toBe("A child didn't start: Exception('Worker initialization failure: EAGAIN')")
    clock.advance(500)
    expect(children).toHaveLength(1)
    fault.now = null
    clock.advance(1000)
    expect(children).toHaveLength(2)
    const second = harness.resultOf('cpu.where')
    nth(2).load()
    await turn()
    nth(2).answer()
    expect(await second).toBe(2)
  })

  it('runs a task in another child when the one that it was to have dies in the same turn', async () => {
    const { harness, nth, turn } = await started()
    nth(1).die('exitcode 1')
    const result = harness.resultOf('cpu.where')
    await turn()
    nth(2).load()
    await turn()
    nth(2).answer()
    expect(await result).toBe(2)
  })

  it('takes the end of a task that has sent more messages than a call can have arguments', async () => {
    const { harness, nth, turn } = await started()
    const request = harness.request('cpu.where')
    const outcome = harness.start(request)
    await turn()
    nth(1).answer(Array.from({ length: 300_000 }, (_, n) => taskTuple(`sent-${n}`)))
    expect(await outcome).toMatchObject({ state: 'SUCCESS' })
    expect(request.children).toHaveLength(300_000)
    expect(request.children.at(-1)).toEqual(taskTuple('sent-299999'))
  })

  it('leaves the children of a job alone that ended at its hard limit, whatever its child says after that', async () => {
    const { clock, harness, nth, turn } = await started()
    const request = harness.request('cpu.where')
    const outcome = harness.start(request, { hard: 1 })
    await turn()
    clock.advance(1000)
    expect(await outcome).toMatchObject({ state: 'FAILURE', kind: 'timeout' })
    nth(1).answer([taskTuple('sent')])
    expect(request.children).toEqual([])
  })

  it('stores states and logs in the name of a task only what its own code reports', async () => {
    const { harness, log, nth, turn } = await started()
    const outcome = harness.run('cpu.where')
    await turn()
    nth(1).onMessage({ type: 'log', job: 0, level: 'INFO', message: 'another', facts: {} })
    nth(1).onMessage({ type: 'log', job: 1, level: 'INFO', message: 'its own', facts: {} })
    nth(1).onMessage({ type: 'store', job: 0, call: 1, state: 'OTHER', meta: null })
    nth(1).onMessage({ type: 'store', job: 1, call: 2, state: 'OWN', meta: null })
    await turn()
    expect(harness.states).toEqual([{ state: 'OWN', meta: null }])
    expect(nth(1).heard.slice(1)).toEqual([
      expect.objectContaining({ type: 'stored', job: 0, call: 1, error: expect.objectContaining({ name: 'Error' }) }),
      { type: 'stored', job: 1, call: 2, error: null },
    ])
    expect([harness.taskLog.of('INFO'), log.of('INFO')]).toEqual([['its own'], ['another']])
    nth(1).answer()
    expect(await outcome).toMatchObject({ state: 'SUCCESS' })
  })

  it('kills a child that does not end although nothing runs in it', async () => {
    const { clock, harness, nth, turn } = await started(2)
    harness.pool.resize(1)
    expect(nth(1).heard).toEqual([{ type: 'end' }])
    clock.advance(4999)
    expect(nth(1).killed).toBe(false)
    clock.advance(1)
    expect(nth(1).killed).toBe(true)
    await turn()
    expect(harness.children).toEqual([2])
  })

  it('starts no other once it has stopped, and keeps no timer', async () => {
    const { children, clock, harness, nth, turn } = await started()
    nth(1).die('exitcode 1')
    await turn()
    nth(2).die('exitcode 1')
    await turn()
    await harness.pool.stop()
    expect(clock.pending).toBe(0)
    harness.pool.resize(3)
    expect(children).toHaveLength(2)
    expect(await harness.run('cpu.where')).toMatchObject({ state: 'ABORTED' })
  })

  it('does not begin a task whose message was lost while it waited for a child', async () => {
    const { harness, nth, turn } = await started()
    const first = harness.run('cpu.where')
    const lost = harness.request('cpu.where')
    const second = harness.start(lost)
    await turn()
    Object.assign(lost.delivery, { live: false })
    nth(1).answer()
    expect(await first).toMatchObject({ state: 'SUCCESS' })
    expect(await second).toMatchObject({ state: 'ABORTED' })
    expect(nth(1).heard).toHaveLength(1)
    expect(await Promise.race([harness.run('cpu.where'), turn().then(() => 'runs')])).toBe('runs')
    expect(nth(1).heard).toHaveLength(2)
  })

  it('stops although a child that has nothing to do never ends', async () => {
    const { clock, harness, nth } = await started()
    const stop = harness.pool.stop()
    expect(nth(1).heard).toEqual([{ type: 'end' }])
    clock.advance(5000)
    expect(nth(1).killed).toBe(true)
    await stop
  })

  it('gives a task up that no child comes up for, once the worker has begun to stop', async () => {
    const clock = new FakeClock()
    const stopLimit = new StopLimit(clock, 10_000)
    const { harness, nth, turn } = await started(1, clock, stopLimit)
    nth(1).die('exitcode 1')
    const run = harness.run('cpu.where')
    await turn()
    stopLimit.begin()
    clock.advance(10_000)
    expect(await run).toMatchObject({ state: 'ABORTED' })
  })
})
