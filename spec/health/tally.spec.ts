import { beforeEach, describe, expect, it } from '@jest/globals'
import { Reject, type Retry } from '../../lib/app/predicate.js'
import { OTHER, type TaskCounts, TaskTally } from '../../lib/health/tally.js'
import type { Clock } from '../../lib/ports.js'
import type { TaskMessage } from '../../lib/protocol/message.js'
import { OfflineApp, OfflineLine } from '../support/offlineLine.js'

class UpstreamError extends Error {
  override name = 'UpstreamError'
}

describe('the tally of tasks', () => {
  let app: OfflineApp
  let tally: TaskTally
  let offline: OfflineLine

  beforeEach(() => {
    app = new OfflineApp('spec')
    app.task('spec.add', (x: number, y: number) => x + y)
    app.task('spec.fail', () => {
      throw new UpstreamError('away')
    })
    app.task('spec.retry', { bind: true }, (self: { retry: (options: object) => Retry }) => {
      throw self.retry({ countdown: 30 })
    })
    app.task('spec.reject', { acksLate: true }, () => {
      throw new Reject('no', false)
    })
    // The line makes its clock itself, and has to have its listener before.
    const clock: Clock = {
      now: () => offline.clock.now(),
      monotonic: () => offline.clock.monotonic(),
      setTimer: (fn, delayMs) => offline.clock.setTimer(fn, delayMs),
    }
    tally = new TaskTally(clock, (name) => app.tasks.get(name) !== undefined)
    offline = new OfflineLine(app, { events: tally, slots: 2 })
  })

  function counts(name: string): TaskCounts {
    const found = [...tally].find((each) => each.name === name)
    if (!found) throw new Error(`nothing was counted of ${name}`)
    return found
  }

  it('counts each way in which a task can end', async () => {
    for (const task of ['spec.fail', 'spec.retry', 'spec.reject']) offline.deliver(task)
    offline.deliver('spec.add', { args: [1, 2] })
    offline.deliver('spec.add', { args: [1, 2] })
    await offline.turn()
    expect(counts('spec.add')).toMatchObject({ queue: 'spec', received: 2, started: 2, succeeded: 2 })
    expect(counts('spec.add').runtime.count).toBe(2)
    expect(counts('spec.fail')).toMatchObject({ received: 1, started: 1, succeeded: 0 })
    expect([...counts('spec.fail').failed]).toEqual([['UpstreamError', 1]])
    // The next try is sent as a message of its own.
    expect(counts('spec.retry')).toMatchObject({ received: 1, retried: 1, sent: 1 })
    expect(counts('spec.reject')).toMatchObject({ received: 1, rejected: 1 })
  })

  it('counts what comes back from the delay queues as an arrival, and not as received once more', async () => {
    offline.deliver('spec.add', { args: [1, 2] })
    offline.deliver('spec.add', { args: [1, 2], headers: { 'celeriac-received': true } })
    await offline.turn()
    expect(counts('spec.add')).toMatchObject({ received: 1, started: 2, succeeded: 2 })
    expect(tally.arrivedFrom('spec')).toBe(2)
  })

  it('waits begin with the receipt, or with the time that the message was due', async () => {
    offline.deliver('spec.add', {
      args: [1, 2],
      headers: { eta: new Date(offline.clock.now() + 60_000).toISOString() },
    })
    offline.clock.advance(60_000)
    await offline.turn()
    const { wait } = counts('spec.add')
    expect(wait.count).toBe(1)
    expect(wait.sum).toBeLessThan(0.1)
  })

  it('counts what isn’t registered, or is sent elsewhere, under one name', () => {
    tally.unregistered({ task: `spec.${Math.random()}` } as TaskMessage)
    const message = { exchange: '', routingKey: 'q', content: Buffer.alloc(0) }
    tally.sent({ ...message, properties: { headers: { task: 'who.knows' } } }, 'elsewhere')
    tally.sent({ ...message, properties: { headers: { task: 'spec.add' } } }, 'elsewhere')
    expect([...tally].map(({ failed, name, queue, sent }) => ({ name, queue, sent, failed: [...failed] }))).toEqual([
      { name: OTHER, queue: '', sent: 0, failed: [['NotRegistered', 1]] },
      { name: OTHER, queue: 'elsewhere', sent: 1, failed: [] },
      { name: 'spec.add', queue: 'elsewhere', sent: 1, failed: [] },
    ])
  })

  it('stays small whatever the number of queues and exceptions', () => {
    const message = { exchange: '', routingKey: 'q', content: Buffer.alloc(0) }
    for (let n = 0; n < 2_000; n++) tally.sent({ ...message, properties: { headers: { task: 'spec.add' } } }, `q${n}`)
    expect([...tally].length).toBe(501)
    expect([...tally].reduce((sum, { sent }) => sum + sent, 0)).toBe(2_000)
    expect(counts(OTHER)).toMatchObject({ queue: OTHER, sent: 1_500 })
  })

  it('counts the arrivals of each consumed queue, also of one that comes after so many others', async () => {
    const message = { exchange: '', routingKey: 'q', content: Buffer.alloc(0) }
    for (let n = 0; n < 500; n++) tally.sent({ ...message, properties: { headers: { task: 'spec.add' } } }, `q${n}`)
    offline.deliver('spec.add', { args: [1, 2] })
    offline.deliver('spec.add', { args: [1, 2] })
    await offline.turn()
    expect(tally.arrivedFrom('spec')).toBe(2)
    expect(counts(OTHER)).toMatchObject({ queue: OTHER, received: 2 })
  })
})
