import { describe, expect, it } from '@jest/globals'
import {
  decodeEvents,
  encodeEvent,
  exceptionRepr,
  groupOf,
  isoFormat,
  routingKeyOf,
  utcOffset,
  type WireEvent,
} from '../../lib/protocol/event.js'
import { parseTime } from '../../lib/protocol/time.js'

const EVENT: WireEvent = {
  hostname: 'w1@h',
  utcoffset: -2,
  pid: 7,
  clock: 22,
  uuid: 'dee',
  timestamp: 1795510068.98,
  type: 'task-started',
}

function east(minutes: number): Date {
  return { getTimezoneOffset: () => -minutes } as Date
}

describe('an event', () => {
  it('belongs to the group that its type begins with, and goes out under its type with dots', () => {
    expect([groupOf('task-sent'), groupOf('worker-elect-ack')]).toEqual(['task', 'worker'])
    expect([routingKeyOf('worker-heartbeat'), routingKeyOf('worker-elect-ack')]).toEqual([
      'worker.heartbeat',
      'worker.elect.ack',
    ])
  })

  it('counts whole hours west of UTC, rounded down as Python does', () => {
    expect([east(0), east(120), east(330), east(-210)].map(utcOffset)).toEqual([0, -2, -6, 3])
    expect(Object.is(utcOffset(east(0)), 0)).toBe(true)
  })

  it('is read back from its message, alone or in a batch', () => {
    expect(decodeEvents(encodeEvent(EVENT))).toEqual([EVENT])
    expect(decodeEvents(encodeEvent([EVENT, EVENT]))).toEqual([EVENT, EVENT])
  })

  it('is encoded with any value that a header can have', () => {
    const content = encodeEvent({ ...EVENT, root_id: 2n ** 60n, eta: undefined, args: Buffer.from('x'), kwargs: [1n] })
    expect(content.toString()).toContain(
      '"root_id":1152921504606846976,"args":{"type":"Buffer","data":[120]},"kwargs":[1]',
    )
    expect(decodeEvents(content)).toMatchObject([EVENT])
  })

  it('is told from whatever else a message may hold', () => {
    const strangers = [
      null,
      1,
      'x',
      [],
      [[EVENT]],
      { type: 'task-sent' },
      { hostname: 'w1@h' },
      { type: 1, hostname: 2 },
    ]
    for (const body of strangers) expect(decodeEvents(Buffer.from(JSON.stringify(body)))).toEqual([])
    expect(decodeEvents(Buffer.from(JSON.stringify([null, EVENT, 3])))).toEqual([EVENT])
    expect(() => decodeEvents(Buffer.from('{'))).toThrow('an event is not valid JSON')
  })

  it('shows an exception under the name that results give it', () => {
    expect(exceptionRepr(new RangeError('boom'))).toBe("ValueError('boom')")
    expect(exceptionRepr(Object.assign(new TypeError('x'), { args: ['boom', 42] }))).toBe("TypeError('boom', 42)")
    expect(exceptionRepr(new Error(''))).toBe('Exception()')
  })

  it('writes times as Python does, to the microsecond', () => {
    expect(isoFormat(Date.UTC(2026, 10, 24, 8, 45, 11, 995) + 0.625)).toBe('2026-11-24T08:45:11.995625+00:00')
    expect(isoFormat(Date.UTC(2026, 10, 24))).toBe('2026-11-24T00:00:00+00:00')
    expect(isoFormat(Date.UTC(2026, 10, 24, 8, 45, 11, 999) + 0.9999)).toBe('2026-11-24T08:45:12+00:00')
    for (const text of [
      '2026-11-24T08:45:11.000001+00:00',
      '2026-11-24T08:45:11.995624+00:00',
      '2106-02-07T06:28:15.999999+00:00',
    ])
      expect(isoFormat(parseTime(text))).toBe(text)
    expect(isoFormat(null)).toBeNull()
  })

  it('writes times before 1970 as Python does', () => {
    for (const text of [
      '1969-12-31T23:59:59.999000+00:00',
      '1969-12-31T23:59:59+00:00',
      '1900-01-01T00:00:00.000001+00:00',
      '0001-01-01T00:00:00.250000+00:00',
    ])
      expect(isoFormat(parseTime(text))).toBe(text)
    expect(isoFormat(-0.0001)).toBe('1970-01-01T00:00:00+00:00')
  })
})
