import { type as systemName } from 'node:os'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { EventDispatcher } from '../../lib/events/dispatcher.js'
import { Heart } from '../../lib/events/heart.js'
import { LamportClock } from '../../lib/protocol/lamport.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'
import { MemorySink } from './memorySink.js'

describe('the heart', () => {
  let clock: FakeClock
  let sink: MemorySink

  beforeEach(() => {
    clock = new FakeClock()
    sink = new MemorySink()
  })

  function make(interval: number | 'none' | null = null): Heart {
    const lamport = new LamportClock()
    const groups = ['worker'] as const
    const dispatcher = new EventDispatcher({ hostname: 'w1@h', sink, lamport, clock, log: new MemoryLog(), groups })
    return new Heart({ dispatcher, clock, interval, version: '1.2.3', activity: () => ({ active: 3, processed: 70 }) })
  }

  const types = (): string[] => sink.events.map(({ type }) => type)

  it('says that the worker is online, beats every two seconds, and says when it goes', () => {
    const heart = make()
    sink.connect()
    heart.up()
    clock.advance(4500)
    heart.stop()
    clock.advance(10_000)
    expect(types()).toEqual(['worker-online', 'worker-heartbeat', 'worker-heartbeat', 'worker-offline'])
    expect(sink.events.map(({ timestamp }) => timestamp)).toEqual([1000, 1002, 1004, 1004.5])
    for (const event of sink.events) {
      expect(event).toMatchObject({ freq: 2, active: 3, processed: 70, sw_ident: 'celeriac', sw_ver: '1.2.3' })
      expect(event.sw_sys).toBe(systemName())
      expect(event.loadavg).toHaveLength(3)
    }
  })

  it('beats in the interval that it is given', () => {
    const heart = make(5)
    sink.connect()
    heart.up()
    clock.advance(9999)
    expect(types()).toEqual(['worker-online', 'worker-heartbeat'])
    expect(sink.events[0]).toMatchObject({ freq: 5 })
    heart.stop()
  })

  it('says it again to every new connection, but only while the worker takes messages', () => {
    const heart = make()
    sink.connect()
    expect(types()).toEqual([])
    heart.up()
    sink.connect()
    expect(types()).toEqual(['worker-online', 'worker-online'])
    heart.down()
    sink.connect()
    clock.advance(10_000)
    expect(types()).toHaveLength(2)
    heart.up()
    expect(types()).toEqual(['worker-online', 'worker-online', 'worker-online'])
    heart.stop()
  })

  it('waits for the connection of the events with the news that it is online', () => {
    const heart = make()
    heart.up()
    clock.advance(5000)
    sink.connect()
    expect(types()).toEqual(['worker-online'])
    heart.stop()
  })

  it('stops but once, and stays stopped', () => {
    const heart = make()
    sink.connect()
    heart.up()
    heart.stop()
    heart.stop()
    heart.up()
    expect(types()).toEqual(['worker-online', 'worker-offline'])
    expect(clock.pending).toBe(0)
  })

  it("beats once when asked, with Celery's fields for that, even where it is not to beat by itself", () => {
    const heart = make('none')
    sink.connect()
    heart.up()
    heart.pulse()
    heart.stop()
    expect(types()).toEqual(['worker-heartbeat'])
    expect(Object.keys(sink.events[0] ?? {})).toEqual([
      'hostname',
      'utcoffset',
      'pid',
      'clock',
      'freq',
      'sw_ident',
      'sw_ver',
      'sw_sys',
      'timestamp',
      'type',
    ])
    expect(sink.events[0]?.freq).toBe(5)
  })
})
