import { beforeEach, describe, expect, it } from '@jest/globals'
import { EventDispatcher } from '../../lib/events/dispatcher.js'
import type { EventGroup } from '../../lib/protocol/event.js'
import { LamportClock } from '../../lib/protocol/lamport.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'
import { MemorySink } from './memorySink.js'

describe('the event dispatcher', () => {
  let sink: MemorySink
  let lamport: LamportClock
  let log: MemoryLog
  let deferred: Array<() => void>

  beforeEach(() => {
    sink = new MemorySink()
    lamport = new LamportClock()
    log = new MemoryLog()
    deferred = []
  })

  function make(groups: EventGroup[], mostKept = 100, mostKeptBytes?: number): EventDispatcher {
    const defer = (fn: () => void): void => void deferred.push(fn)
    return new EventDispatcher({
      hostname: 'w1@h',
      sink,
      lamport,
      clock: new FakeClock(),
      log,
      groups,
      mostKept,
      ...(mostKeptBytes === undefined ? {} : { mostKeptBytes }),
      defer,
    })
  }

  function endTurn(): void {
    for (const fn of deferred.splice(0)) fn()
  }

  function sendTasks(dispatcher: EventDispatcher, from: number, to: number): void {
    for (let n = from; n < to; n++) dispatcher.send('task-started', { uuid: n })
  }

  it('gives each event the fields that all have', () => {
    const dispatcher = make(['worker'])
    sink.connect()
    lamport.adjust(40)
    dispatcher.send('worker-heartbeat', { freq: 2 })
    expect(sink.messages).toEqual([
      {
        routingKey: 'worker.heartbeat',
        hostname: 'w1@h',
        body: {
          hostname: 'w1@h',
          utcoffset: Math.floor(new Date(1_000_000).getTimezoneOffset() / 60) + 0,
          pid: process.pid,
          clock: 42,
          freq: 2,
          timestamp: 1000,
          type: 'worker-heartbeat',
        },
      },
    ])
  })

  it('sends nothing for a group that is off, and leaves the clock as it was', () => {
    const dispatcher = make(['worker'])
    sink.connect()
    dispatcher.send('task-started', { uuid: 'a' })
    endTurn()
    expect(sink.messages).toEqual([])
    expect(lamport.value).toBe(0)
    expect([dispatcher.enabled('worker'), dispatcher.enabled('task')]).toEqual([true, false])
  })

  it('sends what happens to tasks in one turn of the event loop as one batch', () => {
    const dispatcher = make(['worker', 'task'])
    sink.connect()
    sendTasks(dispatcher, 0, 2)
    expect(sink.messages).toEqual([])
    endTurn()
    sendTasks(dispatcher, 2, 3)
    endTurn()
    expect(sink.messages.map(({ routingKey, body }) => [routingKey, [body].flat().map(({ uuid }) => uuid)])).toEqual([
      ['task.multi', [0, 1]],
      ['task.multi', [2]],
    ])
    expect(sink.events.map(({ clock }) => clock)).toEqual([1, 2, 3])
  })

  it('puts no more than 24 events into a batch', () => {
    const dispatcher = make(['task'])
    sink.connect()
    sendTasks(dispatcher, 0, 50)
    endTurn()
    expect(sink.messages.map(({ body }) => [body].flat().length)).toEqual([24, 24, 2])
    expect(sink.events.map(({ uuid }) => uuid)).toEqual(Array.from({ length: 50 }, (_, n) => n))
  })

  it('is turned on and off, also where it was on from the start, with the answers of Celery', () => {
    const dispatcher = make(['worker', 'task'])
    sink.connect()
    expect(dispatcher.enable()).toBe('task events already enabled')
    expect(dispatcher.disable()).toBe('task events disabled')
    expect(dispatcher.disable()).toBe('task events already disabled')
    sendTasks(dispatcher, 0, 1)
    expect(dispatcher.enable()).toBe('task events enabled')
    sendTasks(dispatcher, 1, 2)
    endTurn()
    expect(sink.events.map(({ uuid }) => uuid)).toEqual([1])
    expect(log.of('INFO')).toEqual([
      'Events of group {task} disabled by remote.',
      'Events of group {task} enabled by remote.',
    ])
  })

  it('connects only once there is something to send', async () => {
    const dispatcher = make([])
    await dispatcher.start()
    expect(sink.started).toBe(0)
    dispatcher.enable()
    expect(sink.started).toBe(1)
  })

  it('keeps task events while the broker is away, and sends them in order when it is back', () => {
    const dispatcher = make(['worker', 'task'])
    sendTasks(dispatcher, 0, 30)
    dispatcher.send('worker-heartbeat', {})
    endTurn()
    dispatcher.onUp(() => dispatcher.send('worker-online', {}))
    sink.connect()
    expect(sink.messages.map(({ routingKey, body }) => [routingKey, [body].flat().length])).toEqual([
      ['worker.online', 1],
      ['task.multi', 24],
      ['task.multi', 6],
    ])
    expect(sink.events.slice(1).map(({ uuid }) => uuid)).toEqual(Array.from({ length: 30 }, (_, n) => n))
    expect(log.of('WARNING')).toEqual([])
  })

  it('drops the oldest when too many are kept, and says how many in one line', () => {
    const dispatcher = make(['task'], 10)
    sendTasks(dispatcher, 0, 25)
    endTurn()
    expect(dispatcher.dropped).toBe(15)
    sink.connect()
    expect(sink.events.map(({ uuid }) => uuid)).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24])
    expect(log.of('WARNING')).toEqual([
      '15 task events were lost while the broker was away: no more than 10, or 16 MB, are kept',
    ])
    sink.connect()
    expect(log.of('WARNING')).toHaveLength(1)
  })

  it('drops the oldest when those that are kept have too many bytes', () => {
    const dispatcher = make(['task'], 100, 10_000)
    const send = (uuid: number, size: number): void => {
      dispatcher.send('task-started', { uuid, args: 'x'.repeat(size) })
      endTurn()
    }
    for (let n = 0; n < 10; n++) send(n, 2000)
    expect(dispatcher.dropped).toBe(6)
    sink.connect()
    expect(sink.events.map(({ uuid }) => uuid)).toEqual([6, 7, 8, 9])
    sink.open = false
    for (let n = 10; n < 14; n++) send(n, 2000)
    expect(dispatcher.dropped).toBe(6)
    send(14, 20_000)
    expect(dispatcher.dropped).toBe(11)
    sink.connect()
    expect(sink.events.map(({ uuid }) => uuid)).toEqual([6, 7, 8, 9])
  })

  it('sends no faster than a congested connection takes', () => {
    const dispatcher = make(['task'])
    sendTasks(dispatcher, 0, 60)
    endTurn()
    sink.room = 1
    sink.connect()
    expect(sink.messages).toHaveLength(1)
    sendTasks(dispatcher, 60, 61)
    endTurn()
    sink.drain(1)
    expect(sink.messages).toHaveLength(2)
    sink.drain(10)
    expect(sink.events.map(({ uuid }) => uuid)).toEqual(Array.from({ length: 61 }, (_, n) => n))
  })

  it("sends a publisher's event alone and under its own name, whatever groups are on", () => {
    const dispatcher = make([])
    dispatcher.sendAs('gen1@h', 'task-sent', { uuid: 'a' })
    expect(sink.started).toBe(1)
    sink.connect()
    dispatcher.sendAs('gen1@h', 'task-sent', { uuid: 'b' })
    expect(sink.messages).toMatchObject([
      { routingKey: 'task.sent', hostname: 'gen1@h', body: { hostname: 'gen1@h', uuid: 'a' } },
      { routingKey: 'task.sent', hostname: 'gen1@h', body: { hostname: 'gen1@h', uuid: 'b' } },
    ])
  })

  it('drops what cannot be encoded, and goes on', () => {
    const dispatcher = make(['worker', 'task'])
    const circular: Record<string, unknown> = {}
    circular.self = circular
    dispatcher.sendAs('gen1@h', 'task-sent', { uuid: 'a', circular })
    sink.connect()
    dispatcher.sendAs('gen1@h', 'task-sent', { uuid: 'b', circular })
    dispatcher.send('worker-online', { circular })
    dispatcher.sendAs('gen1@h', 'task-sent', { uuid: 'c' })
    expect(sink.events.map(({ uuid }) => uuid)).toEqual(['c'])
    expect(dispatcher.dropped).toBe(3)
    expect(log.of('WARNING')).toHaveLength(3)
    expect(log.of('WARNING')[0]).toMatch(/^Events that cannot be encoded were dropped \(1\): /)
  })

  it('sends what it has when it is stopped, and nothing after', async () => {
    const dispatcher = make(['worker', 'task'])
    sink.connect()
    sendTasks(dispatcher, 0, 1)
    await dispatcher.stop()
    sendTasks(dispatcher, 1, 2)
    dispatcher.send('worker-heartbeat', {})
    endTurn()
    expect(sink.events.map(({ uuid }) => uuid)).toEqual([0])
    expect(sink.stopped).toBe(1)
  })
})
