import { beforeEach, describe, expect, it } from '@jest/globals'
import type { TaskContext } from '../../lib/app/context.js'
import { Reject } from '../../lib/app/predicate.js'
import type { Request } from '../../lib/request/request.js'
import { NO_TASK_EVENTS, type TaskEvents } from '../../lib/request/taskEvents.js'
import type { FakeDelivery } from '../support/fakeDelivery.js'
import { OfflineApp, OfflineLine } from '../support/offlineLine.js'

describe('the line tells of a task', () => {
  let app: OfflineApp
  let told: string[]
  let under: OfflineLine

  beforeEach(() => {
    app = new OfflineApp('spec')
    told = []
    // Each event by its name, and how the message was settled by then.
    const note =
      (name: string) =>
      (request: Request, ...facts: unknown[]): void => {
        const { settledBy } = request.delivery as FakeDelivery
        const shown = facts.filter((fact) => ['number', 'boolean', 'string'].includes(typeof fact))
        told.push([name, ...shown, settledBy ?? 'unsettled'].join(' '))
      }
    const events: TaskEvents = {
      ...NO_TASK_EVENTS,
      received: note('received'),
      returned: note('returned'),
      started: note('started'),
      succeeded: (request, result) => note('succeeded')(request, result),
      failed: note('failed'),
      retried: note('retried'),
      revoked: note('revoked'),
      rejected: note('rejected'),
      cancelled: note('cancelled'),
      unregistered: (message) => void told.push(`unregistered ${message.id}`),
    }
    under = new OfflineLine(app, { events })
  })

  async function run(task: string, kwargs: Record<string, unknown> = {}): Promise<FakeDelivery> {
    const delivery = under.deliver(task, { id: 'a', kwargs })
    await under.turn()
    return delivery
  }

  it('that is acknowledged early, after that', async () => {
    app.task('tasks.one', () => 1)
    await run('tasks.one')
    expect(told).toEqual(['received unsettled', 'started ack', 'succeeded 1 ack'])
  })

  it('that was received before and waited in the broker for its time, not that it is received once more', async () => {
    app.task('tasks.one', () => 1)
    under.deliver('tasks.one', { id: 'a', headers: { 'celeriac-received': true } })
    await under.turn()
    expect(told).toEqual(['returned unsettled', 'started ack', 'succeeded 1 ack'])
  })

  it('that is acknowledged late, that it succeeded or failed after that', async () => {
    app.task('tasks.one', { acksLate: true }, () => 1)
    app.task('tasks.fail', { acksLate: true }, () => {
      throw new Error('x')
    })
    await run('tasks.one')
    await run('tasks.fail')
    expect(told).toEqual([
      'received unsettled',
      'started unsettled',
      'succeeded 1 ack',
      'received unsettled',
      'started unsettled',
      'failed ack',
    ])
  })

  it('that waits for its next try in its lane what it would tell of a message of its own', async () => {
    app.task(
      'tasks.flaky',
      { bind: true, params: ['key'], orderBy: 'kwargs.key' },
      (self: TaskContext, _key: string) => {
        if (self.request.retries === 0) throw self.retry({ countdown: 5, exc: new Error('not yet') })
        return 'done'
      },
    )
    await run('tasks.flaky', { key: 'k' })
    const due = under.clock.now() + 5000
    expect(told).toEqual(['received unsettled', 'started unsettled', 'retried unsettled', `received ${due} unsettled`])
    under.clock.advance(5000)
    await under.turn()
    expect(told.slice(4)).toEqual(['started unsettled', 'succeeded done ack'])
  })

  it('that it was rejected, only if its message was still there to be', async () => {
    app.task('tasks.late', { acksLate: true }, () => {
      throw new Reject('no')
    })
    app.task('tasks.early', () => {
      throw new Reject('no')
    })
    await run('tasks.late')
    await run('tasks.early')
    expect(told).toEqual([
      'received unsettled',
      'started unsettled',
      'rejected false reject',
      'received unsettled',
      'started ack',
    ])
  })

  it('that is revoked before it comes nothing but that', async () => {
    app.task('tasks.one', () => 1)
    under.line.revoke(['a'])
    await run('tasks.one')
    expect(told).toEqual(['revoked revoked ack'])
  })

  it('that it can not know that it failed', async () => {
    await run('tasks.nobody')
    expect(told).toEqual(['unregistered a'])
  })
})
