import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readJson, writeJson } from '../../../lib/protocol/content/json.js'

const lossless = (_key: string, value: unknown): unknown =>
  typeof value === 'number' && /^-?\d{16,}$/.test(String(value)) && !Number.isSafeInteger(value)
    ? BigInt(String(value))
    : value

describe('readJson', () => {
  it.each<[string, unknown]>([
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', 9007199254740993n],
    ['-9007199254740993', -9007199254740993n],
    ['1152921504606846976', 2n ** 60n],
    [
      '[12345678901234567890, 0.12345678901234567, 1e400]',
      [12345678901234567890n, Number('0.12345678901234567'), Number.POSITIVE_INFINITY],
    ],
    [
      '{"a": NaN, "b": [Infinity, -Infinity]}',
      { a: Number.NaN, b: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] },
    ],
    ['["NaN", "Infinity", "12345678901234567890"]', ['NaN', 'Infinity', '12345678901234567890']],
    [
      ' [ 12345678901234567890 , "a\\"\\\\" , { } , [ ] , true , false , null ] ',
      [12345678901234567890n, 'a"\\', {}, [], true, false, null],
    ],
  ])('reads %s', (text, value) => {
    expect(readJson(text)).toEqual(value)
  })

  it('finds an integer past 2^53 wherever it stands', () => {
    for (let before = 0; before < 40; before++) {
      const text = JSON.stringify(['x'.repeat(before)]).replace(']', ',12345678901234567,1]')
      expect(readJson(text)).toEqual(['x'.repeat(before), 12345678901234567n, 1])
    }
  })

  it.each([
    '',
    '[NaN',
    '[NaN,]',
    '{"a":NaN,}',
    '[nan]',
    '[+Infinity]',
    '[012345678901234567890]',
    '[12345678901234567890',
    '"NaN',
    '[NaN] 1',
    '{NaN:1}',
    "['NaN']",
    `1${'0'.repeat(4300)}`,
  ])('refuses %s', (text) => {
    expect(() => readJson(text)).toThrow(SyntaxError)
  })

  it('takes __proto__ for a key like any other', () => {
    for (const text of ['{"__proto__": {"polluted": 1}}', '{"__proto__": {"polluted": NaN}}']) {
      const value = readJson(text) as Record<string, unknown>
      expect(Object.keys(value)).toEqual(['__proto__'])
      expect(value.polluted).toBeUndefined()
      expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    }
  })

  it('reads any JSON as JSON.parse does, by the slow way too', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 1, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        expect(readJson(text)).toEqual(JSON.parse(text, lossless))
        expect(readJson(`[${text},NaN]`)).toEqual([JSON.parse(text, lossless), Number.NaN])
      }),
      { numRuns: 500 },
    )
  })

  it('reads or refuses any text', () => {
    const text = fc
      .array(
        fc.constantFrom(
          '[',
          ']',
          '{',
          '}',
          '"',
          '\\',
          ':',
          ',',
          'NaN',
          'Infinity',
          '-',
          '1',
          '12345678901234567',
          '.5',
          'e3',
          ' ',
          'a',
        ),
      )
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(text, (broken) => {
        try {
          readJson(broken)
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(SyntaxError)
        }
      }),
      { numRuns: 3000 },
    )
  })
})

describe('writeJson', () => {
  it('writes integers of any size', () => {
    expect(writeJson({ a: [2n ** 60n, -1n, 1.5, 'x', null, true], __proto__: null })).toBe(
      '{"a":[1152921504606846976,-1,1.5,"x",null,true]}',
    )
  })

  it('writes the rest as JSON.stringify does beside them', () => {
    const rest = { a: undefined, b: [undefined, Number.NaN], c: Buffer.from('x'), d: new Date(0) }
    const [written, alone] = [writeJson({ n: 2n ** 60n, ...rest }), JSON.stringify(rest)]
    expect(written).toBe(`{"n":1152921504606846976,${alone.slice(1)}`)
  })
})
