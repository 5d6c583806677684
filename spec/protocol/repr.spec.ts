import vm from 'node:vm'
import { describe, expect, it } from '@jest/globals'
import { repr, reprArgs } from '../../lib/protocol/repr.js'
import { bestOf } from '../support/rounds.js'

class Build {
  readonly id = 1
}
class NotReady extends Error {
  override readonly name = 'NotReady'
}
const named = (): void => undefined

const sameAsPython: Array<[value: unknown, shown: string]> = [
  [null, 'None'],
  [undefined, 'None'],
  [true, 'True'],
  [false, 'False'],

  [5, '5'],
  [-5, '-5'],
  [0, '0'],
  [1.5, '1.5'],
  [0.1, '0.1'],
  [1e15, '1000000000000000'],
  [1e21, '1e+21'],
  [1.5e300, '1.5e+300'],
  [0.0001, '0.0001'],
  [0.00001234, '1.234e-05'],
  [-1e-7, '-1e-07'],
  [5e-324, '5e-324'],
  [Number.NaN, 'nan'],
  [Number.POSITIVE_INFINITY, 'inf'],
  [Number.NEGATIVE_INFINITY, '-inf'],
  [2n ** 70n, '1180591620717411303424'],

  ['', "''"],
  ['text', "'text'"],
  ["it's", '"it\'s"'],
  ['say "no"', '\'say "no"\''],
  ['it\'s "no"', "'it\\'s \"no\"'"],
  ['a\nb\tc\rd\\e', "'a\\nb\\tc\\rd\\\\e'"],
  ['\x00\x1b\x7f', "'\\x00\\x1b\\x7f'"],
  ['\x85\xa0\xad', "'\\x85\\xa0\\xad'"],
  ['naïve ☂ 漢', "'naïve ☂ 漢'"],
  ['\u200b\u2028\u3000\ufeff', "'\\u200b\\u2028\\u3000\\ufeff'"],
  ['🎉', "'🎉'"],
  ['\u{e0001}\u{10ffff}', "'\\U000e0001\\U0010ffff'"],
  ['\ud83d', "'\\ud83d'"],

  [[], '[]'],
  [[1, 'a'], "[1, 'a']"],
  [[[1], [null, [true]]], '[[1], [None, [True]]]'],
  [{}, '{}'],
  [{ a: 1, b: { c: [2] } }, "{'a': 1, 'b': {'c': [2]}}"],
  [{ "it's": 'x' }, "{\"it's\": 'x'}"],
  [
    new Map<unknown, unknown>([
      [1, 'a'],
      ['b', null],
    ]),
    "{1: 'a', 'b': None}",
  ],
  [new Set([1, 'a']), "{1, 'a'}"],
  [new Set(), 'set()'],

  [Buffer.from('abc\n\x00\xff', 'latin1'), "b'abc\\n\\x00\\xff'"],
  [new Uint8Array([0x27]), 'b"\'"'],
  [new Uint8Array([0x27, 0x22, 0x5c, 0x7f]), "b'\\'\"\\\\\\x7f'"],
  [new Uint8Array(), "b''"],
  [new Date(Date.UTC(2026, 10, 24, 8, 47)), 'datetime.datetime(2026, 11, 24, 8, 47, tzinfo=datetime.timezone.utc)'],
  [
    new Date(Date.UTC(2026, 10, 24, 8, 47, 43)),
    'datetime.datetime(2026, 11, 24, 8, 47, 43, tzinfo=datetime.timezone.utc)',
  ],
  [
    new Date(Date.UTC(2026, 0, 1, 0, 0, 0, 128)),
    'datetime.datetime(2026, 1, 1, 0, 0, 0, 128000, tzinfo=datetime.timezone.utc)',
  ],
]

const withoutPythonTwin: Array<[value: unknown, shown: string]> = [
  [new Build(), '<Build>'],
  [[new Build()], '[<Build>]'],
  [new (class {})(), '<object>'],
  [new Float64Array(2), '<Float64Array>'],
  [Object.create(null), '{}'],
  [Object.assign(Object.create(null), { a: 1 }), "{'a': 1}"],
  [new Error('boom'), "Exception('boom')"],
  [new RangeError('boom'), "ValueError('boom')"],
  [Object.assign(new Error('boom'), { excType: 'FetchError' }), "FetchError('boom')"],
  [[new Error('boom')], "[Exception('boom')]"],
  [new TypeError(''), 'TypeError()'],
  [new NotReady("isn't"), 'NotReady("isn\'t")'],
  [named, '<function named>'],
  [() => 1, '<function>'],
  [Symbol('s'), '<Symbol(s)>'],
  [new Date(Number.NaN), '<Invalid Date>'],
  [new Array(2), '[None, None]'],
]

describe('repr', () => {
  it.each(sameAsPython)('shows %p as Python does', (value, shown) => {
    expect(repr(value)).toBe(shown)
  })

  it.each(withoutPythonTwin)('shows %p, which Python does not have', (value, shown) => {
    expect(repr(value)).toBe(shown)
  })

  it('knows the types of another realm', () => {
    const value = vm.runInNewContext("[{ a: new Map([[1, new Set([2])]]) }, new Date(0), new TypeError('no')]")
    expect(repr(value)).toBe(
      "[{'a': {1: {2}}}, datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc), TypeError('no')]",
    )
  })

  it('shows a value inside itself as Python does', () => {
    const list: unknown[] = [1]
    list.push(list)
    const dict: Record<string, unknown> = { list }
    dict.self = dict
    expect(repr(list)).toBe('[1, [...]]')
    expect(repr(dict)).toBe("{'list': [1, [...]], 'self': {...}}")
  })

  it('shows a value in full that occurs twice side by side', () => {
    const shared = [1]
    expect(repr([shared, shared])).toBe('[[1], [1]]')
  })

  it('does not throw when the value does', () => {
    const value = {
      get broken(): never {
        throw new Error('no')
      },
    }
    expect(repr([1, value])).toBe('[1, {<unprintable>')
  })
})

describe('the limits of repr', () => {
  it('keeps a text of exactly the limit', () => {
    expect(repr('abcdef', 8)).toBe("'abcdef'")
  })

  it('cuts one of a character more', () => {
    expect(repr('abcdefg', 8)).toBe("'abcd...")
    expect(repr([1, 2, 3], 8)).toBe('[1, 2...')
  })

  it('has 1024 characters unless told otherwise', () => {
    const shown = repr('x'.repeat(5000))
    expect(shown).toBe(`'${'x'.repeat(1020)}...`)
  })

  it('does not cut a character in two', () => {
    expect(repr('a🎉b🎉', 6)).toBe("'a...")
  })

  it('shows the dots alone when there is room for nothing else', () => {
    expect(repr([1, 2, 3], 3)).toBe('...')
  })

  it('does not read on in a value of which nothing more is shown', () => {
    let read = 0
    const list = new Proxy(new Array(1_000_000).fill(7), {
      get(target, key, receiver) {
        read++
        return Reflect.get(target, key, receiver)
      },
    })
    expect(repr(list, 100)).toHaveLength(100)
    expect(read).toBeLessThan(200)
  })

  it('does not escape what is not shown of a large text', () => {
    const text = '\n'.repeat(20_000_000)
    const timed = (work: () => unknown): number => {
      const before = performance.now()
      work()
      return performance.now() - before
    }
    // The text is put together when it is first read: that is not to count.
    const escaping = timed(() => JSON.stringify(text))
    let shown = ''
    const measure = (): number =>
      timed(() => {
        shown = repr(text, 20)
      })
    const enough = escaping / 10
    return bestOf(5, measure, (took) => took < enough).then((took) => {
      expect(shown).toBe(`'${'\\n'.repeat(8)}...`)
      expect(took).toBeLessThan(enough)
    })
  })

  it('stops at a depth that the stack bears', () => {
    let deep: unknown = 'end'
    for (let level = 0; level < 100_000; level++) deep = [deep]
    expect(repr(deep, 1_000_000)).toBe(`${'['.repeat(65)}...${']'.repeat(65)}`)
  })
})

describe('reprArgs', () => {
  it.each([
    [[], '()'],
    [[1], '(1,)'],
    [[2, 3], '(2, 3)'],
    [[['a'], { b: null }], "(['a'], {'b': None})"],
  ] as Array<[unknown[], string]>)('shows %p as a tuple', (args, shown) => {
    expect(reprArgs(args)).toBe(shown)
  })

  it('cuts a long one', () => {
    expect(reprArgs(['x'.repeat(100)], 10)).toBe("('xxxxx...")
  })
})
