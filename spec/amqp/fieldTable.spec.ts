import { describe, expect, it } from '@jest/globals'
import { DEEPEST, FieldReader } from '../../lib/amqp/fieldTable.js'
import { BadMessage } from '../../lib/protocol/badMessage.js'
import {
  double,
  headerTable,
  int32,
  list,
  long,
  nested,
  nothing,
  type RawValue,
  raw,
  short,
  table,
  text,
  uint8,
  uint16,
  uint32,
  uint64,
} from '../support/rawTable.js'

function read(bytes: Buffer): Record<string, unknown> {
  return new FieldReader(bytes).table(bytes.length)
}

const valueIn = (value: RawValue): unknown => read(headerTable({ value })).value

function reasonOf(bytes: Buffer): string {
  try {
    read(bytes)
  } catch (thrown) {
    if (thrown instanceof BadMessage) return thrown.reason
    throw thrown
  }
  return 'none'
}

describe('a field table', () => {
  it.each([
    ['t', raw('t', uint8(1)), true],
    ['b', raw('b', uint8(0xff)), -1],
    ['B', raw('B', uint8(0xff)), 255],
    ['s', raw('s', uint16(0xfffe)), -2],
    ['U', raw('U', uint16(0xfffe)), -2],
    ['u', raw('u', uint16(0xfffe)), 65_534],
    ['I', int32(-3), -3],
    ['i', raw('i', uint32(0xffff_ffff)), 4_294_967_295],
    ['l', raw('l', uint64(1_790_000_000_000n)), 1_790_000_000_000],
    ['L', raw('L', uint64(1_790_000_000_000n)), 1_790_000_000_000],
    ['L below zero', raw('L', uint64(-5n)), -5],
    ['L beyond 2^53', raw('L', uint64(1_790_000_000_000_000_001n)), 1_790_000_000_000_000_001n],
    ['f', raw('f', Buffer.from([0x3f, 0xc0, 0, 0])), 1.5],
    ['d', raw('d', double(0.1)), 0.1],
    ['D', raw('D', uint8(2), uint32(-150)), { '!': 'decimal', value: { places: 2, digits: -150 } }],
    ['S', text('grüße'), 'grüße'],
    ['A', list(int32(1), list(text('x'))), [1, ['x']]],
    ['T', raw('T', uint64(1_700_000_000n)), { '!': 'timestamp', value: 1_700_000_000 }],
    ['T of no date', raw('T', uint64(-1n)), { '!': 'timestamp', value: 2n ** 64n - 1n }],
    ['F', table({ a: nothing }), { a: null }],
    ['V', nothing, null],
    ['x', long('x', 'bytes'), Buffer.from('bytes')],
  ])('has the type %s', (_, written, value) => {
    expect(valueIn(written)).toEqual(value)
  })

  it('has text as Python has it: with lone surrogates, and bytes where it is no UTF-8', () => {
    expect(valueIn(text(Buffer.from([0x61, 0xed, 0xb3, 0xbf, 0x62])))).toBe('a\udcffb')
    expect(valueIn(text(Buffer.from([0x61, 0xff])))).toEqual(Buffer.from([0x61, 0xff]))
    expect(valueIn(text(Buffer.from([0xed, 0xa0, 0x80, 0xff])))).toEqual(Buffer.from([0xed, 0xa0, 0x80, 0xff]))
    expect(valueIn(text('\ufffd'))).toBe('\ufffd')
  })

  it('keeps the last of two entries of a name', () => {
    const twice = Buffer.concat([short('a'), int32(1), short('a'), int32(2)])
    expect(read(long('F', twice).subarray(1))).toEqual({ a: 2 })
  })

  it('takes no name for the prototype', () => {
    const read_ = read(headerTable({ ['__proto__']: table({ evil: int32(1) }) }))
    expect(Object.getPrototypeOf(read_)).toBe(Object.prototype)
    expect(Object.entries(read_)).toEqual([['__proto__', { evil: 1 }]])
    expect((read_ as { evil?: unknown }).evil).toBeUndefined()
  })

  it.each(['A', 'F'] as const)('is read to a depth, and looked at no further: %s', (type) => {
    expect(reasonOf(headerTable({ deep: nested(type, DEEPEST - 1) }))).toBe('none')
    expect(reasonOf(headerTable({ deep: nested(type, DEEPEST) }))).toBe('too-deep')
    expect(reasonOf(headerTable({ deep: nested(type, 20_000) }))).toBe('too-deep')
  })

  it.each([
    ['an unknown type', headerTable({ a: raw('z', uint32(1)) })],
    ['a text longer than its table', headerTable({ a: long('S', 'x', 2) })],
    ['a list longer than its table', headerTable({ a: long('A', 'V', 2) })],
    ['a list that ends within a value', headerTable({ a: long('A', Buffer.from('I\0\0')), b: nothing })],
    ['a table longer than the frame', uint32(5)],
    ['a name without a value', long('F', short('a')).subarray(1)],
    ['a name that is cut off', long('F', short('a', 200)).subarray(1)],
    ['no length', Buffer.from([0, 0])],
  ])('is refused for %s', (_, bytes) => {
    expect(reasonOf(bytes)).toBe('invalid-header')
  })

  it('is read or refused wherever it is cut', () => {
    const whole = headerTable({ a: list(int32(1), table({ b: text('text'), c: raw('L', uint64(7n)) })), d: nothing })
    for (let length = 0; length < whole.length; length++)
      expect(reasonOf(whole.subarray(0, length))).toBe('invalid-header')
    expect(reasonOf(whole)).toBe('none')
  })
})
