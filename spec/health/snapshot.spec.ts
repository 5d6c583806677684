import { describe, expect, it } from '@jest/globals'
import { LIMITS, takeReading, takeSnapshot } from '../../lib/health/snapshot.js'
import { TaskCounts } from '../../lib/health/tally.js'
import type { Reason } from '../../lib/scaling/controller.js'
import { loadSettings } from '../../lib/settings/load.js'
import { selectQueues } from '../../lib/settings/queues.js'
import { Gated, OfflineApp } from '../support/offlineLine.js'
import { offlineSource } from './snapshotSource.js'

const HOSTILE = '<script>alert(1)</script>'

function specApp(): { app: OfflineApp; gated: Gated } {
  const app = new OfflineApp('spec')
  const gated = new Gated()
  app.task('spec.run', { orderBy: 'headers.key' }, gated.run)
  app.task('spec.block', { orderBy: 'headers.key', orderOnFailure: 'block' }, gated.run)
  return { app, gated }
}

const keyed = (key: string, id: string) => ({ id, args: [id], headers: { key } })

describe('a snapshot', () => {
  it('of a worker that does nothing is plain', () => {
    const { source } = offlineSource(specApp().app, { slots: 2 })
    source.clock.now()
    const snapshot = takeSnapshot(source)
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot)
    expect(snapshot).toMatchObject({
      at: 1_000_000,
      worker: { nodename: 'w@spec', version: '1.2.3', pid: 42, uptimeMs: 0, memory: 1024 },
      ready: true,
      reasons: [],
      slots: { size: 2, busy: 0, max: 8, min: 2 },
      waiting: 0,
      load: 0,
      lanes: { total: 0, shown: [] },
      running: { total: 0, shown: [] },
      decisions: [],
      failures: [],
      tasks: { total: 0, shown: [] },
      rejected: {},
      breakers: [],
    })
  })

  it('shows what runs, the longest first, and how long', async () => {
    const { app, gated } = specApp()
    const { offline, source } = offlineSource(app, { slots: 2 })
    offline.deliver('spec.run', keyed('a', 'first'))
    await offline.turn()
    offline.clock.advance(1500)
    offline.deliver('spec.run', { id: 'second', args: ['second'] })
    await offline.turn()
    offline.clock.advance(500)
    expect(takeSnapshot(source).running).toEqual({
      total: 2,
      shown: [
        { id: 'first', clipped: false, task: 'spec.run', key: 'a', queue: 'spec', retries: 0, runsMs: 2000 },
        { id: 'second', clipped: false, task: 'spec.run', key: null, queue: 'spec', retries: 0, runsMs: 500 },
      ],
    })
    gated.end('first')
    gated.end('second')
    await offline.turn()
    expect(takeSnapshot(source).running.total).toBe(0)
  })

  it('shows lanes with their depth, age and head: first those that are blocked, then the oldest', async () => {
    const { app, gated } = specApp()
    const { offline, source } = offlineSource(app, { slots: 8 })
    offline.deliver('spec.run', keyed('old', 'o1'))
    offline.deliver('spec.run', keyed('old', 'o2'))
    offline.clock.advance(1000)
    offline.deliver('spec.run', keyed('young', 'y1'))
    offline.deliver('spec.block', keyed('shut', 's1'))
    offline.deliver('spec.run', keyed('shut', 's2'))
    await offline.turn()
    gated.fail('s1', new Error('no'))
    await offline.turn()
    offline.clock.advance(500)
    const lane = { clipped: false, blocked: false }
    expect(takeSnapshot(source).lanes).toEqual({
      total: 3,
      shown: [
        { ...lane, key: 'shut', depth: 1, blocked: true, ageMs: 500, head: null },
        { ...lane, key: 'old', depth: 2, ageMs: 1500, head: { id: 'o1', task: 'spec.run', state: 'running' } },
        { ...lane, key: 'young', depth: 1, ageMs: 500, head: { id: 'y1', task: 'spec.run', state: 'running' } },
      ],
    })
  })

  it('counts what waits in the broker and here, and the load on the slots', async () => {
    const { app } = specApp()
    const { offline, source } = offlineSource(app, { slots: 2 })
    const { settings } = loadSettings({ config: {}, env: {}, flags: { queues: 'long,short' } })
    source.queues = {
      queues: selectQueues(settings).queues,
      intake: () => [{ queue: 'long', consumers: 3, messages: 3 }],
    }
    source.depthOf = (queue) => (queue === 'long' ? { ready: 10, consumers: 7 } : undefined)
    source.oldestSeconds = () => 1.5
    for (const id of ['a', 'b', 'c']) offline.deliver('spec.run', { id, args: [id] })
    await offline.turn()
    const snapshot = takeSnapshot(source)
    expect(snapshot).toMatchObject({ waiting: 11, load: 6.5, slots: { size: 2, busy: 2 } })
    expect(snapshot.queues).toEqual([
      { name: 'long', clipped: false, ready: 10, oldestMs: 1500, consumers: 3, fleet: 7, parked: 0 },
      { name: 'short', clipped: false, ready: null, oldestMs: 1500, consumers: 0, fleet: null, parked: 0 },
    ])
    expect(takeReading(source)).toMatchObject({ slots: 2, busy: 2, waiting: 11, parked: 0, loop: 0.25, received: 3 })
  })

  it('counts as done what ended for good, and nothing that comes again', () => {
    const { source } = offlineSource(specApp().app)
    const { state } = source.line
    const endings = ['succeeded', 'failed', 'ignored', 'rejected', 'revoked', 'retried', 'aborted', 'failed'] as const
    for (const ending of endings) state.end(ending)
    expect(takeReading(source)).toMatchObject({ done: 6, failed: 2 })
  })

  it('shows the last decisions, latest first, each with the number of slots before it', () => {
    const { source } = offlineSource(specApp().app)
    const decision = (at: number, slots: number, reason: Reason) => ({
      at,
      slots,
      reason,
      split: new Map(),
      detail: { depth: at },
    })
    const decisions = Array.from({ length: 30 }, (_, n) => decision(n, n + 1, 'backlog'))
    source.scaling = { bounds: { max: 8, min: 2 }, decisions }
    const shown = takeSnapshot(source).decisions
    expect(shown).toHaveLength(LIMITS.decisions)
    expect(shown[0]).toEqual({ at: 29, slots: 30, from: 29, reason: 'backlog', heldBack: false, detail: { depth: 29 } })
    expect(shown.at(-1)).toMatchObject({ slots: 11, from: 10 })
    source.scaling = { bounds: { max: 8, min: 2 }, decisions: decisions.slice(0, 1) }
    expect(takeSnapshot(source).decisions).toMatchObject([{ slots: 1, from: null }])
  })

  it('shows the last failures, without the secrets that an exception may quote', async () => {
    const { app, gated } = specApp()
    const { offline, source } = offlineSource(app, { secrets: ['hunter2'] })
    offline.deliver('spec.run', keyed('k', 'f1'))
    offline.deliver('nobody.knows', { id: 'f2' })
    await offline.turn()
    gated.fail('f1', new TypeError('no access with hunter2 to amqp://me:other@host/'))
    await offline.turn()
    const at = 1_000_000
    expect(takeSnapshot(source).failures).toEqual([
      {
        at,
        task: 'spec.run',
        id: 'f1',
        key: 'k',
        exception: "TypeError('no access with ** to amqp://me:**@host/')",
        traceback: expect.stringMatching(
          /^Traceback \(most recent call last\):\n {2}File ".*snapshot\.spec\.ts", line \d+[\s\S]*\nTypeError: no access with \*\* to amqp:\/\/me:\*\*@host\/\n$/,
        ),
      },
      { at, task: 'nobody.knows', id: 'f2', key: null, exception: "NotRegistered('nobody.knows')", traceback: '' },
    ])
  })

  it('gives names as they are, for the page to show as text', async () => {
    const { app } = specApp()
    const { offline, source } = offlineSource(app)
    offline.deliver('spec.run', { ...keyed(HOSTILE, HOSTILE), headers: { key: HOSTILE, shadow: HOSTILE } })
    await offline.turn()
    const { lanes, running } = takeSnapshot(source)
    expect(running.shown).toMatchObject([{ id: HOSTILE, task: HOSTILE }])
    expect(lanes.shown[0]?.head).toMatchObject({ id: HOSTILE, task: HOSTILE })
  })

  it('stays small whatever the worker has in hand, and says how much there is', async () => {
    const { app, gated } = specApp()
    const { offline, source } = offlineSource(app, { slots: 500 })
    const long = 'x'.repeat(100_000)
    for (let n = 0; n < 200; n++) offline.deliver('spec.run', keyed(`${long}${n}`, `${long}${n}`))
    await offline.turn()
    for (const id of gated.started.slice(0, 100)) gated.fail(id, new Error(long))
    await offline.turn()
    const snapshot = takeSnapshot(source)
    expect(snapshot.lanes).toMatchObject({ total: 100, shown: { length: LIMITS.lanes } })
    expect(snapshot.running).toMatchObject({ total: 100, shown: { length: LIMITS.running } })
    expect(snapshot.failures).toHaveLength(LIMITS.failures)
    for (const { traceback } of snapshot.failures) {
      expect([traceback.length, traceback.slice(0, 2)]).toEqual([2000, '…x'])
    }
    expect(snapshot.lanes.shown[0]).toMatchObject({ key: `${'x'.repeat(LIMITS.text - 1)}…`, clipped: true })
    expect(JSON.stringify(snapshot).length).toBeLessThan(150_000)
  })

  it('counts by task what ran and failed, over all queues, with estimates of how long runs take', () => {
    const { source } = offlineSource(specApp().app)
    const counts = (name: string, queue: string, runs: number, failures: number): TaskCounts => {
      const of = new TaskCounts(name, queue)
      of.started = runs
      of.failed.set('TypeError', failures)
      return of
    }
    const long = 'x'.repeat(1000)
    const [fast, slow, never] = [counts('a', 'one', 96, 2), counts('a', 'two', 4, 1), counts(long, 'one', 1, 1)]
    for (let run = 0; run < 90; run++) fast.runtime.observe(0.02)
    for (let run = 0; run < 10; run++) slow.runtime.observe(3)
    source.tasks = () => [never, fast, slow]
    // Within 10 to 25 ms, and 2.5 to 5 s: 50 of 90, and 5 of 10, of the way.
    expect(takeSnapshot(source).tasks).toEqual({
      total: 2,
      shown: [
        { name: 'a', runs: 100, failed: 3, p50Ms: 18, p95Ms: 3750 },
        { name: `${'x'.repeat(LIMITS.text - 1)}…`, runs: 1, failed: 1, p50Ms: null, p95Ms: null },
      ],
    })
    source.tasks = () => Array.from({ length: 500 }, (_, n) => counts(`t${n}`, 'one', n, 0))
    const { shown, total } = takeSnapshot(source).tasks
    expect([total, shown.length, shown[0]?.name]).toEqual([500, LIMITS.tasks, 't499'])
  })

  it('counts rejected messages by reason', () => {
    const { source } = offlineSource(specApp().app)
    const { state } = source.line
    for (const reason of ['unregistered', 'deliveries', 'unregistered'] as const) state.refuse(reason)
    state.end('rejected')
    expect(takeSnapshot(source).rejected).toEqual({ unregistered: 2, deliveries: 1, rejected: 1 })
  })

  it('says why the worker is not ready, and how its breakers are', () => {
    const { source } = offlineSource(specApp().app)
    source.readiness = () => ['it is stopping']
    source.breakers = () => [{ name: 'results', state: 'open', opens: 2, lastError: 'refused' }]
    expect(takeSnapshot(source)).toMatchObject({
      ready: false,
      reasons: ['it is stopping'],
      breakers: [{ name: 'results', state: 'open', opens: 2, lastError: 'refused' }],
    })
  })
})
