import { describe, expect, it } from '@jest/globals'
import { unwrap } from '../../lib/protocol/content/kombuTypes.js'
import {
  Decimal,
  PlainDate,
  PlainDateTime,
  PlainTime,
  PreciseDate,
  readDateTime,
  Uuid,
  writeDateTime,
} from '../../lib/protocol/values.js'
import { growthOf } from '../support/growth.js'

describe('readDateTime', () => {
  it('makes a Date of what a Date can hold', () => {
    const date = readDateTime('2024-01-02T03:04:05.678+02:00')
    expect(date).toEqual(new Date('2024-01-02T01:04:05.678Z'))
    expect(date).not.toBeInstanceOf(PreciseDate)
    expect(readDateTime('2024-01-02T03:04:05.678000Z')).not.toBeInstanceOf(PreciseDate)
  })

  it('keeps microseconds until the date is changed', () => {
    const date = readDateTime('2024-01-02T03:04:05.000678+00:00') as PreciseDate
    expect(date).toBeInstanceOf(PreciseDate)
    expect(date.getTime()).toBe(Date.UTC(2024, 0, 2, 3, 4, 5))
    expect(writeDateTime(date)).toBe('2024-01-02T03:04:05.000678+00:00')
    date.setUTCFullYear(2025)
    expect(writeDateTime(date)).toBe('2025-01-02T03:04:05.000+00:00')
  })

  it('does not guess the zone of a naive time', () => {
    const naive = readDateTime('2024-01-02T03:04:05')
    expect(naive).toEqual(new PlainDateTime('2024-01-02T03:04:05'))
    expect(writeDateTime(naive)).toBe('2024-01-02T03:04:05')
  })

  it('minds the seconds of a historic offset', () => {
    expect(readDateTime('1900-01-01T00:00:00+00:19:32')).toEqual(new Date('1899-12-31T23:40:28Z'))
  })

  it('has every whole millisecond as it was written', () => {
    for (let ms = 0; ms < 1000; ms++) {
      const date = new Date(Date.UTC(2026, 5, 7, 8, 9, 10, ms))
      expect(readDateTime(writeDateTime(date))).toEqual(date)
      expect(new PreciseDate(`${writeDateTime(date).slice(0, 23)}999Z`).getTime()).toBe(date.getTime())
    }
  })
})

describe('writeDateTime', () => {
  it.each([
    ['2024-01-02T03:04:05.5', '2024-01-02T03:04:05.500000'],
    ['2024-01-02T03:04:05,1234567', '2024-01-02T03:04:05.123456'],
  ])('writes %s as every Python reads it', (text, written) => {
    expect(writeDateTime(new PlainDateTime(text))).toBe(written)
    expect(writeDateTime(new PreciseDate(`${text}Z`))).toBe(`${written}+00:00`)
  })

  it.each([new Date(Number.NaN), new Date(8.64e15), new Date(Date.UTC(-5, 0))])(
    'refuses %s, for which Python has no datetime',
    (date) => {
      expect(() => writeDateTime(date)).toThrow(TypeError)
    },
  )
})

describe('value classes', () => {
  it.each<[new (text: string) => unknown, string]>([
    [Decimal, ''],
    [Decimal, '1,5'],
    [Decimal, '0x1'],
    [PlainDate, '2024-02-30'],
    [PlainDate, '0000-01-01'],
    [PlainDate, '2024-1-1'],
    [PlainTime, '24:00:00'],
    [PlainTime, '12:60'],
    [PlainDateTime, '2024-01-01T00:00:00Z'],
    [PlainDateTime, '2024-02-30T00:00:00'],
    [PreciseDate, '2024-01-01T00:00:00'],
    [PreciseDate, 'now'],
    [Uuid, 'abc'],
    [Uuid, 'g'.repeat(32)],
  ])('%p refuses %j', (type, text) => {
    expect(() => new type(text)).toThrow(TypeError)
  })

  it.each(['1.50', '-0', '1E+3', 'NaN', 'sNaN1', '-Infinity', '.5', '5.'])('Decimal takes %s and keeps it', (text) => {
    expect(String(new Decimal(text))).toBe(text)
    expect(JSON.stringify(new Decimal(text))).toBe(JSON.stringify(text))
  })

  it('writes a UUID one way', () => {
    expect(new Uuid('0123456789ABCDEF0123456789abcdef').text).toBe('01234567-89ab-cdef-0123-456789abcdef')
  })
})

describe('a forged text, however long', () => {
  const read = (type: string) => (value: string) => {
    try {
      return unwrap({ __type__: type, __value__: type === 'uuid' ? { hex: value } : value })
    } catch (thrown) {
      return thrown
    }
  }

  it.each<[string, (size: number) => string]>([
    ['decimal', (size) => `${'1'.repeat(size)}x`],
    ['decimal', (size) => `.${'1'.repeat(size)}e`],
    ['decimal', (size) => `nan${'1'.repeat(size)}x`],
    ['decimal', (size) => '1'.repeat(size)],
    ['datetime', (size) => `2024-01-02T03:04:05.${'1'.repeat(size)}x`],
    ['datetime', (size) => `2024-01-02T03:04${'+01'.repeat(size)}`],
    ['time', (size) => `03:04:05.${'1'.repeat(size)}`],
    ['date', (size) => '2024-01-'.repeat(size)],
    ['uuid', (size) => 'a-'.repeat(size)],
    ['base64', (size) => '='.repeat(size)],
    ['base64', (size) => `${'A'.repeat(size)}!`],
    ['bytes', (size) => 'é'.repeat(size)],
  ])('is read or refused as a %s in no more time than it is long', (type, textOf) => {
    expect(growthOf(read(type), textOf, 100_000)).toBeLessThan(4)
  })
})

it('shows no more than the beginning and the end of a long text that it refuses', () => {
  expect(() => new Decimal('x'.repeat(1_000_000))).toThrow(/^"x{75}\.\.\.\(999900 characters\)\.\.\.x{25}" is/)
  expect(() => new Uuid('a-'.repeat(1_000_000))).toThrow(/is not a valid Uuid$/)
})
