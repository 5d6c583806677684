import { describe, expect, it } from '@jest/globals'
import { parseTime } from '../../lib/protocol/time.js'

const AT = Date.UTC(2026, 10, 24, 8, 45, 11)

describe('parseTime', () => {
  it.each([
    ['2026-11-24T08:45:11+00:00', AT],
    ['2026-11-24T08:45:11Z', AT],
    ['2026-11-24 08:45:11', AT],
    ['2026-11-24T10:45:11+02:00', AT],
    ['2026-11-24T10:45:11+0200', AT],
    ['2026-11-24T06:45:11-02', AT],
    ['2026-11-24T08:45:11.5Z', AT + 500],
    ['2026-11-24T08:45:11.250+00:00', AT + 250],
    ['2026-11-24T08:45', AT - 11_000],
    ['2026-11-24', Date.UTC(2026, 10, 24)],
  ])('reads %s', (text, milliseconds) => {
    expect(parseTime(text)).toBe(milliseconds)
  })

  it('keeps the microseconds that Python writes', () => {
    expect(parseTime('2026-11-24T08:45:11.995624+00:00')).toBeCloseTo(AT + 995.624, 2)
  })

  it.each([
    '',
    'tomorrow',
    '1234567890',
    '2026-13-01T00:00:00',
    '2026-11-24T25:00:00',
    '24.11.2026',
    '2026-11-24T08:45:11+xx',
  ])('takes %p for no time', (text) => {
    expect(parseTime(text)).toBeNull()
  })
})
