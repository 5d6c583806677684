import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { writeJson } from '../../../lib/protocol/content/json.js'
import { unwrap, wrap } from '../../../lib/protocol/content/kombuTypes.js'
import { Decimal, PlainDate, PlainDateTime, PlainTime, PreciseDate, Uuid } from '../../../lib/protocol/values.js'

const wrapped = (type: unknown, value: unknown) => ({ __type__: type, __value__: value })

const TABLE: [unknown, object][] = [
  [new Date(Date.UTC(2024, 0, 2, 3, 4, 5, 678)), wrapped('datetime', '2024-01-02T03:04:05.678+00:00')],
  [new PreciseDate('2024-01-02T03:04:05.000678+00:00'), wrapped('datetime', '2024-01-02T03:04:05.000678+00:00')],
  [new PlainDateTime('2024-01-02T03:04:05.000678'), wrapped('datetime', '2024-01-02T03:04:05.000678')],
  [new PlainDate('2024-01-01'), wrapped('date', '2024-01-01')],
  [new PlainTime('01:02:03'), wrapped('time', '01:02:03')],
  [new Decimal('1.5'), wrapped('decimal', '1.5')],
  [new Uuid('00000000-0000-0000-0000-000000000001'), wrapped('uuid', { hex: '00000000000000000000000000000001' })],
  [Buffer.from('hé\ufeff'), wrapped('bytes', 'hé\ufeff')],
  [Buffer.from([0xff, 0x00]), wrapped('base64', '/wA=')],
]

describe('kombu types', () => {
  it.each(TABLE)('%p is written as %j and read back', (value, wrapper) => {
    expect(wrap({ a: [value] })).toEqual({ a: [wrapper] })
    expect(unwrap({ a: [structuredClone(wrapper)] })).toEqual({ a: [value] })
  })

  it('writes a Uint8Array as the bytes it shows, not as those it lies on', () => {
    expect(wrap(new Uint8Array([0x61, 0x62, 0x63]).subarray(1, 2))).toEqual(wrapped('bytes', 'b'))
  })

  it.each([
    ['more keys', { __type__: 'decimal', __value__: '1', x: 1 }],
    ['fewer keys', { __type__: 'decimal' }],
    ['other keys', { __type__: 'decimal', value: '1' }],
  ])('leaves a mapping with %s alone', (_, value) => {
    expect(unwrap(structuredClone(value))).toEqual(value)
  })

  it('reads a day with a time after it, as Python does', () => {
    expect(unwrap(wrapped('date', '2024-01-01T00:00:00'))).toEqual(new PlainDate('2024-01-01'))
  })

  it.each([
    wrapped('complex', [1, 2]),
    wrapped('__proto__', 1),
    wrapped(null, 1),
    wrapped('decimal', 1.5),
    wrapped('decimal', 'x'),
    wrapped('datetime', 'yesterday'),
    wrapped('uuid', '0123456789abcdef0123456789abcdef'),
    wrapped('uuid', null),
    wrapped('base64', '*'),
    wrapped('base64', 'abc'),
    wrapped('bytes', 1),
  ])('refuses %j', (value) => {
    expect(() => unwrap(value)).toThrow(TypeError)
  })

  it.each<[unknown, string]>([
    [[[], { price: [1, Number.NaN] }], 'NaN cannot be written as JSON, at $[1].price[1]'],
    [{ 'a b': Number.NEGATIVE_INFINITY }, '-Infinity cannot be written as JSON, at $["a b"]'],
    [[new Map()], "a Map can't be written, at $[0]"],
    [{ s: new Set() }, "a Set can't be written, at $.s"],
    [[new Date(Number.NaN)], "the date Invalid Date can't be written, at $[0]"],
  ])('names the place of what cannot be written: %p', (value, message) => {
    expect(() => wrap(value)).toThrow(message)
  })

  it('refuses a circle', () => {
    const circle: unknown[] = []
    circle.push({ circle }, circle)
    expect(() => wrap(circle)).toThrow(
      'nested deeper than 1000 levels, or circular, at $[0].circle[0].circle[0].circle',
    )
  })

  it('are written the same, whether or not there is something beside them that has to be wrapped', () => {
    const day = new PlainDate('2024-01-01')
    const text = (value: unknown): string => {
      try {
        return writeJson(wrap(value))
      } catch (thrown) {
        return String(thrown).replace(/, at \$.*/, '')
      }
    }
    const other = fc.constantFrom<unknown>(
      day,
      undefined,
      () => 1,
      Symbol('x'),
      { toJSON: () => day },
      new Set(),
      Object(1),
    )
    const anything = fc.anything({ withBigInt: true, withSparseArray: true, withNullPrototype: true, withDate: true })
    fc.assert(
      fc.property(
        fc.array(fc.oneof(anything, fc.dictionary(fc.string(), fc.oneof(anything, other)), other)),
        (items) => {
          expect(text([day, ...items])).toBe(
            text(items).replace(/^\[(?=(.))/, (_, next) => `[${text(day)}${next === ']' ? '' : ','}`),
          )
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('treats undefined, functions, toJSON and boxes as JSON.stringify does', () => {
    const value = {
      u: undefined,
      f: () => 1,
      list: [undefined, Symbol('x')],
      j: { toJSON: (key: string) => key },
      b: Object(5),
      n: null,
    }
    expect(wrap(value)).toEqual(JSON.parse(JSON.stringify(value)))
    expect(wrap(undefined)).toBeNull()
  })
})
