import { describe, expect, it } from '@jest/globals'
import { Reject, Retry } from '../../lib/app/predicate.js'
import { BackendError } from '../../lib/backends/backendError.js'
import { decode } from '../../lib/protocol/decode.js'
import type { ResultMeta } from '../../lib/protocol/result.js'
import { Policies, type Policy } from '../../lib/request/policy.js'
import { Request } from '../../lib/request/request.js'
import { WorkerState } from '../../lib/request/state.js'
import { NO_TASK_EVENTS, type TaskEvents } from '../../lib/request/taskEvents.js'
import { loadSettings } from '../../lib/settings/load.js'
import type { Outcome } from '../../lib/trace/outcome.js'
import { Results } from '../../lib/trace/results.js'
import { RULES, type Situation } from '../../lib/trace/rules.js'
import { settle } from '../../lib/trace/settle.js'
import { FakeClock } from '../support/fakeClock.js'
import { FakeDelivery } from '../support/fakeDelivery.js'
import { MemoryBackend } from '../support/memoryBackend.js'
import { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'

/**
 * What Celery 5.6 does with the message and which state it stores: with `acks_late` off, then on. `ack` in the first column is only
 * of messages that have not run.
 */
const CELERYS: ReadonlyArray<
  readonly [
    what: string,
    is: Situation,
    early: readonly [string | null, string],
    late: readonly [string | null, string],
  ]
> = [
  ['success', 'succeeded', ['SUCCESS', 'leave'], ['SUCCESS', 'ack']],
  ['exception, acks_on_failure_or_timeout', 'failed', ['FAILURE', 'leave'], ['FAILURE', 'ack']],
  ['exception, without', 'failedUnacked', ['FAILURE', 'leave'], ['FAILURE', 'reject']],
  ['hard time limit, without', 'timedOutUnacked', ['FAILURE', 'leave'], ['FAILURE', 'give back']],
  ['worker process lost, reject_on_worker_lost', 'lostUnacked', ['FAILURE', 'leave'], [null, 'give back']],
  ['Retry', 'retried', ['RETRY', 'leave'], ['RETRY', 'ack']],
  ['Ignore', 'ignored', [null, 'leave'], [null, 'ack']],
  ['Reject', 'rejected', [null, 'leave'], [null, 'reject']],
  ['Reject(requeue=True)', 'requeued', [null, 'leave'], [null, 'give back']],
  ['revoked, expired, terminated', 'revoked', ['REVOKED', 'ack'], ['REVOKED', 'ack']],
  ['duplicate of a success', 'duplicate', [null, 'leave'], [null, 'ack']],
]

const error = new Error('no')
const OUTCOMES = {
  success: { state: 'SUCCESS', result: 5, runtimeMs: 1 },
  failure: { state: 'FAILURE', kind: 'unexpected', error, runtimeMs: 1 },
  timeout: { state: 'FAILURE', kind: 'timeout', error, runtimeMs: 1 },
  lost: { state: 'FAILURE', kind: 'lost', error, runtimeMs: 1 },
  retry: { state: 'RETRY', retry: new Retry({ countdown: 1 }), runtimeMs: 1 },
  ignored: { state: 'IGNORED', runtimeMs: 1 },
  reject: { state: 'REJECTED', reject: new Reject('no'), runtimeMs: 1 },
  requeue: { state: 'REJECTED', reject: new Reject('no', true), runtimeMs: 1 },
  revoked: { state: 'REVOKED', reason: 'revoked' },
  duplicate: { state: 'DUPLICATE' },
  copy: { state: 'COPY' },
  aborted: { state: 'ABORTED', error, runtimeMs: 1 },
} as const satisfies Record<string, Outcome>

interface Run {
  readonly ends: keyof typeof OUTCOMES
  readonly policy?: Partial<Policy>
  readonly key?: string
  readonly lost?: true
  /** What storing the first state comes to. */
  readonly stores?: Error
}

const off = { acksOnFailureOrTimeout: false }
const RUNS: Readonly<Record<Situation, readonly Run[]>> = {
  succeeded: [{ ends: 'success' }, { ends: 'success', policy: off }],
  failed: [
    { ends: 'failure' },
    { ends: 'timeout' },
    { ends: 'lost' },
    { ends: 'failure', policy: { rejectOnWorkerLost: true } },
  ],
  failedUnacked: [
    { ends: 'failure', policy: off },
    { ends: 'lost', policy: off },
  ],
  timedOutUnacked: [{ ends: 'timeout', policy: off }],
  lostUnacked: [
    { ends: 'lost', policy: { rejectOnWorkerLost: true } },
    { ends: 'lost', policy: { ...off, rejectOnWorkerLost: true } },
  ],
  retried: [{ ends: 'retry' }],
  retriedInLane: [{ ends: 'retry', key: 'k' }],
  ignored: [{ ends: 'ignored' }],
  rejected: [{ ends: 'reject' }],
  requeued: [{ ends: 'requeue' }],
  revoked: [{ ends: 'revoked' }],
  duplicate: [{ ends: 'duplicate' }],
  copy: [{ ends: 'copy' }],
  aborted: [{ ends: 'aborted' }],
  lostConnection: (['failure', 'retry', 'ignored', 'reject', 'revoked'] as const).map((ends) => ({ ends, lost: true })),
  abortedByLostConnection: [{ ends: 'aborted', lost: true }],
  untold: [{ ends: 'success', stores: new BackendError('away') }],
  broken: [{ ends: 'revoked', stores: new TypeError('a fault of ours') }],
}
/** Those that only a message which is acknowledged late can come to. */
const LATE_ONLY: readonly Situation[] = ['retriedInLane', 'lostConnection', 'abortedByLostConnection']

class StoringBackend extends MemoryBackend {
  constructor(
    private readonly done: string[],
    private fault: Error | undefined,
  ) {
    super()
  }
  override async store(meta: ResultMeta): Promise<void> {
    const { fault } = this
    this.fault = undefined
    if (fault) throw fault
    this.done.push(`store ${meta.status}`)
  }
}

/** Everything that a settlement does, in its order. */
async function settled(run: Run, acksLate: boolean): Promise<{ done: string[]; counted: string[] }> {
  const done: string[] = []
  const app = new OfflineApp('spec')
  app.task('t', {}, () => 5)
  const task = app.tasks.get('t')
  if (!task) throw new Error('the task is gone')
  const { properties, content } = taskMessage('t')
  const delivery = new FakeDelivery(properties, content, 'spec', ({ settledBy }) => done.push(String(settledBy)))
  delivery.live = run.lost !== true
  const limits = { accept: ['json'], maxSize: 1e6, maxNesting: 100, maxItems: 1e6, maxHeaders: 100 }
  const request = new Request(decode(properties, content, limits), task, delivery, run.key ?? null, acksLate, 0)
  const policy = { ...new Policies(loadSettings({ config: {}, env: {}, flags: {} }).settings).of(task), ...run.policy }
  const names = Object.keys(NO_TASK_EVENTS) as (keyof TaskEvents)[]
  const events = Object.fromEntries(names.map((name) => [name, () => done.push(name)])) as unknown as TaskEvents
  const state = new WorkerState()
  const clock = new FakeClock()
  const { next } = await settle(request, OUTCOMES[run.ends], {
    clock,
    state,
    events,
    policies: { of: () => policy },
    log: new MemoryLog(),
    results: new Results({
      backend: new StoringBackend(done, run.stores),
      clock,
      hostname: 'w@spec',
      extended: false,
      policyOf: () => policy,
    }),
    publisher: { publish: async () => void done.push('publish') },
    postpone: async () => false,
    orderHoldLimit: 60,
    working: new AbortController().signal,
  })
  if (next !== 'release') done.push(next)
  return { done, counted: [...state.endings.keys()] }
}

/** The same as a row of the table says it. */
function expected(situation: Situation, acksLate: boolean): string[] {
  const { events, message, store } = RULES[situation][acksLate ? 'late' : 'early']
  const settles = message === 'ack' || message === 'reject'
  return [
    ...(store ? [`store ${store}`] : []),
    ...(situation === 'retried' ? ['publish', 'sent'] : []),
    ...(settles ? [message] : []),
    ...events,
    ...(message === 'give back' ? ['give-back'] : []),
    ...(message === 'hold' ? ['received', 'hold'] : []),
  ]
}

describe('the table of endings', () => {
  it.each(CELERYS)('has what Celery does: %s', (_, situation, early, late) => {
    const rows = RULES[situation]
    expect([rows.early.store, rows.early.message]).toEqual(early)
    expect([rows.late.store, rows.late.message]).toEqual(late)
  })

  it('has no other rows but ours', () => {
    const celerys = new Set(CELERYS.map(([, situation]) => situation))
    expect(Object.keys(RULES).filter((row) => !celerys.has(row as Situation))).toEqual([
      'retriedInLane',
      'copy',
      'aborted',
      'lostConnection',
      'abortedByLostConnection',
      'untold',
      'broken',
    ])
  })

  it('tells of a reject whenever a message is rejected or given back, but for one that was told to stop', () => {
    const rows = Object.entries(RULES).filter(([row]) => row !== 'aborted')
    for (const [row, { early, late }] of rows) {
      expect([row, early.events]).not.toEqual([row, expect.arrayContaining(['rejected'])])
      const isRefused = late.message === 'reject' || late.message === 'give back'
      expect([row, (late.events as readonly string[]).includes('rejected')]).toEqual([row, isRefused])
    }
  })
})

describe('settling', () => {
  const cases = (Object.keys(RUNS) as Situation[]).flatMap((situation) =>
    RUNS[situation].flatMap((run) => [
      { situation, run, acksLate: true },
      ...(LATE_ONLY.includes(situation) ? [] : [{ situation, run, acksLate: false }]),
    ]),
  )

  it.each(cases)('does what the table says: $situation, $run, acks late: $acksLate', async (each) => {
    const { counted, done } = await settled(each.run, each.acksLate)
    expect(done).toEqual(expected(each.situation, each.acksLate))
    expect(counted).toEqual([RULES[each.situation].counts])
  })

  it('stores a failure where a result is refused for good, and settles by that', async () => {
    const refused = await settled({ ends: 'success', stores: new BackendError('no', { retriable: false }) }, true)
    expect(refused).toEqual({ done: ['store FAILURE', 'ack', 'failed'], counted: ['failed'] })
  })
})
