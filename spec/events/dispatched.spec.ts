import { beforeEach, describe, expect, it } from '@jest/globals'
import { Retry } from '../../lib/app/predicate.js'
import { Task } from '../../lib/app/task.js'
import { DispatchedTaskEvents } from '../../lib/events/dispatched.js'
import { decode } from '../../lib/protocol/decode.js'
import { encodeTask } from '../../lib/protocol/encode.js'
import type { EventFields } from '../../lib/protocol/event.js'
import { Request } from '../../lib/request/request.js'
import { NO_TASK_EVENTS } from '../../lib/request/taskEvents.js'
import { FakeDelivery } from '../support/fakeDelivery.js'
import { type MessageOptions, taskMessage } from '../support/message.js'

const LIMITS = { accept: ['json'], maxSize: 1_000_000, maxNesting: 100 }

function request(options: MessageOptions = {}, name = 'tasks.add'): Request {
  const { properties, content } = taskMessage(name, { id: 'a1', ...options })
  const message = decode(properties, content, LIMITS)
  const task = new Task(name, {}, () => null)
  return new Request(message, task, new FakeDelivery(properties, content), null, false, 0)
}

describe('task events', () => {
  let sent: Array<EventFields & { type: string }>
  let on: boolean
  let events: DispatchedTaskEvents

  beforeEach(() => {
    sent = []
    on = true
    events = new DispatchedTaskEvents({
      dispatcher: {
        enabled: (group) => on && group === 'task',
        send: (type, fields) => void sent.push({ type, ...fields }),
        sendAs: (from, type, fields) => void sent.push({ type, from, ...fields }),
      },
      sendsSent: true,
      wanted: (task) => task.name !== 'tasks.muted',
    })
  })

  it("tells a task's name, arguments, lineage and times when it is received", () => {
    const headers = {
      argsrepr: '(2, ****)',
      kwargsrepr: "{'k': 1}",
      root_id: 'r',
      parent_id: 'p',
      retries: 2,
      eta: '2026-11-24T08:45:11.995624+00:00',
      expires: '2026-11-24T09:00:00Z',
    }
    events.received(request({ args: [2, 3], kwargs: { k: 1 }, headers }))
    expect(sent).toEqual([
      {
        type: 'task-received',
        uuid: 'a1',
        name: 'tasks.add',
        args: '(2, ****)',
        kwargs: "{'k': 1}",
        root_id: 'r',
        parent_id: 'p',
        retries: 2,
        eta: expect.stringMatching(/^2026-11-24T08:45:11\.99562\d\+00:00$/),
        expires: '2026-11-24T09:00:00+00:00',
      },
    ])
  })

  it('shows the arguments itself when the sender has not, and when a retry has others', () => {
    events.received(request({ args: [2, 'x'], kwargs: { k: null }, headers: { shadow: 'nick' } }))
    const again = request({ args: [2], headers: { argsrepr: '(2,)', kwargsrepr: '{}' } })
    again.args = [3, 4]
    again.retries = 1
    events.received(again, Date.UTC(2026, 0, 1))
    expect(sent).toMatchObject([
      { name: 'nick', args: "(2, 'x')", kwargs: "{'k': None}", eta: null, expires: null, retries: 0 },
      { name: 'tasks.add', args: '(3, 4)', kwargs: '{}', eta: '2026-01-01T00:00:00+00:00', retries: 1 },
    ])
  })

  it('tells how a task ends', () => {
    const one = request()
    events.started(one)
    events.succeeded(one, { a: [1, null] }, 1500)
    events.failed(one, new RangeError('boom'))
    events.retried(one, new Retry({ exc: new TypeError('k') }))
    events.retried(one, new Retry({ countdown: 1 }))
    events.rejected(one, true)
    events.cancelled(one)
    const uuid = 'a1'
    expect(sent).toEqual([
      { type: 'task-started', uuid },
      { type: 'task-succeeded', uuid, result: "{'a': [1, None]}", runtime: 1.5 },
      {
        type: 'task-failed',
        uuid,
        exception: "ValueError('boom')",
        traceback: expect.stringMatching(/^Traceback \(most recent call last\):\n(?:.*\n)*ValueError: boom\n$/),
      },
      { type: 'task-retried', uuid, exception: "TypeError('k')", traceback: expect.stringContaining('TypeError: k\n') },
      { type: 'task-retried', uuid, exception: 'None', traceback: expect.stringContaining('Traceback') },
      { type: 'task-rejected', uuid, requeue: true },
      { type: 'task-cancelled', uuid },
    ])
  })

  it('tells why a task was revoked', () => {
    const one = request()
    events.revoked(one, 'revoked', null)
    events.revoked(one, 'expired', null)
    events.revoked(one, 'terminated', 15)
    events.revoked(one, 'terminated', 9)
    expect(sent.map(({ expired, signum, terminated }) => [terminated, signum, expired])).toEqual([
      [false, null, false],
      [false, null, true],
      [true, 15, false],
      [true, 9, false],
    ])
  })

  it('tells of an unknown task that it failed, and of no traceback', () => {
    events.unregistered(request({}, 'tasks.nobody').message)
    expect(sent).toEqual([{ type: 'task-failed', uuid: 'a1', exception: "NotRegistered('tasks.nobody')" }])
  })

  it('tells of what was sent under the name of its sender', () => {
    const message = encodeTask({
      id: 'c1',
      task: 'tasks.next',
      args: [1],
      kwargs: {},
      route: { exchange: '', routingKey: 'q', priority: 0 },
      eta: new Date(0),
      expires: null,
      rootId: 'r',
      parentId: 'a1',
      replyTo: 'x',
      headers: {},
    })
    on = false
    events.sent(message, 'q')
    expect(sent).toEqual([
      {
        type: 'task-sent',
        from: expect.stringMatching(/^gen\d+@./),
        uuid: 'c1',
        root_id: 'r',
        parent_id: 'a1',
        name: 'tasks.next',
        args: '(1,)',
        kwargs: '{}',
        retries: 0,
        eta: '1970-01-01T00:00:00+00:00',
        expires: null,
        queue: 'q',
        exchange: '',
        routing_key: 'q',
      },
    ])
    // The header of a retry names who sent the task first.
    const { headers, ...properties } = message.properties
    events.sent({ ...message, properties: { ...properties, headers: { ...headers, origin: 'gen1@elsewhere' } } }, 'q')
    expect(sent[1]).toEqual(sent[0])
  })

  it('cuts what a sender shows of the arguments to the length that repr has', () => {
    const headers = { argsrepr: `(${'1'.repeat(60_000)})`, kwargsrepr: '2'.repeat(1024) }
    events.received(request({ headers }))
    events.sent({ exchange: '', routingKey: 'q', content: Buffer.alloc(0), properties: { headers } }, null)
    const shown = { args: `(${'1'.repeat(1020)}...`, kwargs: headers.kwargsrepr }
    expect(sent).toMatchObject([shown, shown])
  })

  it('takes only texts for the texts of what was sent', () => {
    const odd = { root_id: 2n ** 60n, argsrepr: Buffer.from('x'), kwargsrepr: 1, eta: ['y'], parent_id: undefined }
    const headers = { id: 'c1', task: 'tasks.next', retries: 1, expires: '1970-01-01T00:00:00+00:00', ...odd }
    events.sent({ exchange: '', routingKey: 'q', content: Buffer.alloc(0), properties: { headers } }, null)
    expect(sent).toMatchObject([
      {
        uuid: 'c1',
        name: 'tasks.next',
        retries: 1,
        expires: '1970-01-01T00:00:00+00:00',
        root_id: null,
        parent_id: null,
        args: null,
        kwargs: null,
        eta: null,
      },
    ])
  })

  it('makes no fields while they are off, or for a task that wants none', () => {
    let looks = 0
    const watched = new Proxy({}, { ownKeys: () => [`key${looks++}`] })
    events.succeeded(request(), watched, 1)
    expect(looks).toBe(1)
    sent = []
    events.succeeded(request({}, 'tasks.muted'), watched, 1)
    on = false
    events.succeeded(request(), watched, 1)
    expect(looks).toBe(1)
    events.unregistered(request().message)
    expect(sent).toEqual([])
  })

  it('can be told to nobody', () => {
    expect(Object.keys(NO_TASK_EVENTS).sort()).toEqual(
      Object.getOwnPropertyNames(DispatchedTaskEvents.prototype)
        .filter((name) => !['constructor', 'send'].includes(name))
        .sort(),
    )
    NO_TASK_EVENTS.succeeded(request(), 1, 1)
    expect(sent).toEqual([])
  })
})
