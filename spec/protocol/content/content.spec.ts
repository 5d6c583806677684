import { describe, expect, it } from '@jest/globals'
import { encode } from '@msgpack/msgpack'
import fc from 'fast-check'
import { BadMessage } from '../../../lib/protocol/badMessage.js'
import { compress } from '../../../lib/protocol/content/compression.js'
import { type ContentLimits, dumps, loads } from '../../../lib/protocol/content/content.js'
import { Decimal, PlainDate, PlainDateTime, PlainTime, PreciseDate, Uuid } from '../../../lib/protocol/values.js'
import { costOf } from '../../support/growth.js'

const ALL: ContentLimits = { accept: ['json', 'yaml', 'msgpack', 'text/plain'], maxSize: 65_536, maxNesting: 100 }
const TYPES = { json: 'application/json', yaml: 'application/x-yaml', msgpack: 'application/x-msgpack' } as const
const NAMES = ['json', 'yaml', 'msgpack'] as const

const read = (content: Buffer | string, contentType: string, limits = ALL) =>
  loads(Buffer.from(content), { contentType }, limits)
const roundTrip = (value: unknown, name: string) => {
  const { content, contentType, contentEncoding } = dumps(value, name)
  return loads(content, { contentType, contentEncoding }, ALL)
}

function reasonOf(content: Buffer | string, contentType: string, limits = ALL): string {
  try {
    read(content, contentType, limits)
  } catch (thrown) {
    if (thrown instanceof BadMessage) return thrown.reason
    throw thrown
  }
  return 'none'
}

const text = fc.string({ unit: 'grapheme' })
const longInteger = fc
  .bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n })
  .filter((integer) => !Number.isSafeInteger(Number(integer)))
// A whole number past 2^53 is written as an integer, as JSON.stringify has it, and so comes back as a BigInt.
const finite = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .map((number) => (Number.isInteger(number) ? number % 2 ** 53 || 0 : number))
const date = fc.date({
  noInvalidDate: true,
  min: new Date('0001-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
})
const bytes = fc.uint8Array().map((array) => Buffer.from(array))
const day = date.map((instant) => new PlainDate(instant.toISOString().slice(0, 10)))
const naive = date.map(
  (instant) =>
    new PlainDateTime(
      instant
        .toISOString()
        .slice(0, -1)
        .replace(/(\.\d+)$/, '$1001'),
    ),
)
const precise = date.map((instant) => new PreciseDate(instant.toISOString().replace('Z', '001+00:00')))
const common = [
  text,
  fc.integer(),
  fc.maxSafeInteger(),
  longInteger,
  finite,
  fc.boolean(),
  fc.constant(null),
  date,
  bytes,
]
const kombuOnly = [
  fc.bigInt().filter((integer) => !Number.isSafeInteger(Number(integer))),
  fc.integer().map((number) => new Decimal(`${number}.50`)),
  fc.uuid().map((uuid) => new Uuid(uuid)),
  date.map((instant) => new PlainTime(instant.toISOString().slice(11, 23))),
]
const LEAVES = {
  json: [...common, ...kombuOnly, day, naive, precise],
  yaml: [...common, day, naive, precise],
  msgpack: common,
}

function document(leaves: fc.Arbitrary<unknown>[], key: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  return fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      ...leaves,
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(key, tie('value'), { maxKeys: 5 }),
    ),
  })).value
}

describe('dumps and loads', () => {
  it.each(NAMES)('read back as equal whatever %s writes', (name) => {
    // The msgpack library refuses the key __proto__.
    const key =
      name === 'msgpack'
        ? text.filter((word) => word !== '__proto__')
        : fc.oneof(text, fc.constantFrom('__proto__', '<<'))
    fc.assert(
      fc.property(document(LEAVES[name], key), (value) => {
        expect(roundTrip(value, name)).toEqual(value)
      }),
      { numRuns: 400 },
    )
  })

  it.each(NAMES)('decode any bytes as %s, or refuse them with a BadMessage', (name) => {
    const broken = fc.tuple(document(LEAVES[name], text), fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
      const { content } = dumps(value, name)
      content[at % content.length] = byte
      return content
    })
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array().map((array) => Buffer.from(array)),
          broken,
        ),
        (content) => {
          expect(['none', 'undecodable', 'too-deep']).toContain(reasonOf(content, TYPES[name]))
        },
      ),
      { numRuns: 1500 },
    )
  })

  it.each(NAMES)('read a compressed body of %s', (name) => {
    const { content, contentType } = dumps([[1, 'é'], {}, null], name)
    const compressed = compress('gzip', content)
    expect(loads(compressed.content, { contentType, headers: { compression: compressed.type } }, ALL)).toEqual([
      [1, 'é'],
      {},
      null,
    ])
  })

  it.each([
    ['json', 'application/json', 'utf-8'],
    ['yaml', 'application/x-yaml', 'utf-8'],
    ['msgpack', 'application/x-msgpack', 'binary'],
  ])('name %s as kombu does', (name, contentType, contentEncoding) => {
    expect(dumps([], name)).toMatchObject({ contentType, contentEncoding })
    expect(dumps([], contentType)).toEqual(dumps([], name))
  })

  it('carry bytes and text as they are', () => {
    expect(dumps(Buffer.from([255]), 'raw')).toEqual({
      contentType: 'application/data',
      contentEncoding: 'binary',
      content: Buffer.from([255]),
    })
    expect(read(Buffer.from([255]), 'application/data')).toEqual(Buffer.from([255]))
    expect(roundTrip('é', 'text/plain')).toBe('é')
  })

  it.each(['pickle', 'auth', '', '__proto__'])('refuse the serializer %j', (name) => {
    expect(() => dumps([], name)).toThrow(TypeError)
  })
})

describe('accept_content', () => {
  it.each([
    [['json'], 'application/json', 'none'],
    [['application/json'], 'application/json', 'none'],
    [['yaml'], 'application/json', 'refused-content'],
    [['json'], 'application/x-yaml', 'refused-content'],
    [['json'], 'text/plain', 'refused-content'],
    [['pickle', 'application/x-python-serialize'], 'application/x-python-serialize', 'refused-content'],
    [['auth', 'application/x-unknown'], 'application/x-unknown', 'refused-content'],
    [[], 'application/data', 'none'],
    [[], 'application/text', 'none'],
  ])('%j and content of type %s: %s', (accept, type, reason) => {
    expect(reasonOf('1', type, { ...ALL, accept })).toBe(reason)
  })
})

describe('limits', () => {
  const nested = (name: 'json' | 'yaml' | 'msgpack', depth: number): Buffer =>
    name === 'msgpack'
      ? Buffer.concat([Buffer.alloc(depth, 0x91), Buffer.from([1])])
      : Buffer.from(`${'['.repeat(depth)}${']'.repeat(depth)}`)

  it.each(NAMES)('stop the nesting of %s', (name) => {
    expect(reasonOf(nested(name, 100), TYPES[name])).toBe('none')
    expect(reasonOf(nested(name, 101), TYPES[name])).toBe('too-deep')
    expect(['too-deep', 'undecodable']).toContain(reasonOf(nested(name, 20_000), TYPES[name]))
  })

  it('count the nesting of mappings as that of lists', () => {
    expect(reasonOf('{"a":[{"b":1}]}', TYPES.yaml, { ...ALL, maxNesting: 3 })).toBe('none')
    expect(reasonOf('{"a":[{"b":1}]}', TYPES.yaml, { ...ALL, maxNesting: 2 })).toBe('too-deep')
    const packed = Buffer.from(encode({ a: [{ b: 1 }, 2], c: [] }))
    expect(reasonOf(packed, TYPES.msgpack, { ...ALL, maxNesting: 3 })).toBe('none')
    expect(reasonOf(packed, TYPES.msgpack, { ...ALL, maxNesting: 2 })).toBe('too-deep')
  })

  it('count lists, mappings and keys of mappings, in each format', () => {
    const value = { a: [{ b: 1 }, [], 'x', 2], c: 'a [ { : text' }
    const json = JSON.stringify(value)
    const packed = Buffer.from(encode(value))
    for (const [content, type, items] of [
      [json, TYPES.json, 7],
      [packed, TYPES.msgpack, 7],
      [Buffer.from(encode([Buffer.from('x'), new Date()])), TYPES.msgpack, 3],
    ] as const) {
      expect(reasonOf(content, type, { ...ALL, maxNesting: 10, maxItems: items })).toBe('none')
      expect(reasonOf(content, type, { ...ALL, maxNesting: 10, maxItems: items - 1 })).toBe('too-many-items')
    }
    expect(reasonOf('- 1\n- 2\n', TYPES.yaml, { ...ALL, maxItems: 1000 })).toBe('none')
    expect(reasonOf('- 1\n- 2\n', TYPES.yaml, { ...ALL, maxItems: 50 })).toBe('too-many-items')
  })

  const large = { ...ALL, maxSize: 16 * 1024 * 1024, maxNesting: 200 }
  const lines = (count: number, line: (at: number) => string): string =>
    Array.from({ length: count }, (_, at) => line(at)).join('')

  it.each<[what: string, type: string, reason: string, text: string]>([
    ['lists', TYPES.json, 'too-many-items', `[${'[],'.repeat(5_000_000)}1]`],
    ['keys', TYPES.json, 'too-many-items', `{${'"a":1,'.repeat(1_200_000)}"b":1}`],
    ['numbers, which cost little', TYPES.json, 'none', `[${'1,'.repeat(2_000_000)}1]`],
    ['open brackets', TYPES.yaml, 'too-deep', '['.repeat(3000)],
    ['sixteen million open brackets', TYPES.yaml, 'too-deep', '['.repeat(16_000_000)],
    ['lists in lists by indentation', TYPES.yaml, 'too-deep', `${'- '.repeat(1000)}a`],
    ['mappings in mappings by indentation', TYPES.yaml, 'too-deep', lines(600, (at) => `${' '.repeat(at)}a:\n`)],
    ['keys of keys', TYPES.yaml, 'too-deep', `${'? '.repeat(1000)}a`],
    ['numbers', TYPES.yaml, 'too-many-items', `[${'1,'.repeat(295_000)}1]`],
    [
      'merges of a large mapping',
      TYPES.yaml,
      'too-many-items',
      `a: &a {${lines(900, (at) => `k${at}: 1, `)}}\n${lines(4000, (at) => `m${at}: {<<: *a}\n`)}`,
    ],
    [
      'merges of merges',
      TYPES.yaml,
      'too-many-items',
      `a0: &a0 {k: 1}\n${lines(60, (at) => `a${at + 1}: &a${at + 1} {<<: [*a${at}, *a${at}]}\n`)}`,
    ],
    [
      'aliases of aliases',
      TYPES.yaml,
      'too-many-items',
      `a0: &a0 [1]\n${lines(60, (at) => `a${at + 1}: &a${at + 1} [*a${at}, *a${at}]\n`)}`,
    ],
    [
      'levels by aliases',
      TYPES.yaml,
      'too-deep',
      `a0: &a0 [1]\n${lines(600, (at) => `a${at + 1}: &a${at + 1} [*a${at}]\n`)}`,
    ],
    ['aliases of one value', TYPES.yaml, 'too-many-items', `[&a 1,${'*a,'.repeat(20_000)}]`],
    ['anchors', TYPES.yaml, 'too-many-items', `[${lines(10_000, (at) => `&a${at} 1,`)}]`],
    [
      'lists as keys beside anchors',
      TYPES.yaml,
      'undecodable',
      `[${lines(5000, (at) => `&a${at} 1,`)}{${'[]:,'.repeat(12_000)}}]`,
    ],
    [
      'aliases of a list as keys beside anchors',
      TYPES.yaml,
      'undecodable',
      `[${lines(4000, (at) => `&a${at} 1,`)}&x [],{${'*x : ,'.repeat(4500)}}]`,
    ],
    [
      'dates as keys beside anchors',
      TYPES.yaml,
      'too-many-items',
      `[${lines(5000, (at) => `&a${at} 1,`)}{${'2001-01-01:,'.repeat(10_000)}}]`,
    ],
    ['an ordered mapping', TYPES.yaml, 'undecodable', `!!omap [${lines(50, (at) => `k${at}: 1, `)}]`],
    ['faults', TYPES.yaml, 'undecodable', `[${'@,'.repeat(33_000)}]`],
  ])('stop a body of %s before it takes long', (_what, type, reason, text) => {
    const content = Buffer.from(text)
    // So many lists are read in a second or two: a limit that is looked at after the work would take many times that.
    const yardstick = costOf(() => JSON.parse(`[${'[],'.repeat(1_000_000)}1]`))
    expect(costOf(() => expect(reasonOf(content, type, large)).toBe(reason)) / yardstick).toBeLessThan(20)
  })

  it('read merges and aliases that are few', () => {
    const text = 'base: &b {x: 1, y: 2}\nboth: {<<: *b, y: 3}\nlist: [*b, *b]\n'
    expect(loads(Buffer.from(text), { contentType: TYPES.yaml }, large)).toEqual({
      base: { x: 1, y: 2 },
      both: { x: 1, y: 3 },
      list: [
        { x: 1, y: 2 },
        { x: 1, y: 2 },
      ],
    })
  })

  it('stop msgpack that promises more than it holds before room is made for it', () => {
    const bomb = Buffer.concat(Array.from({ length: 50 }, () => Buffer.from([0xdd, 0x00, 0xff, 0xff, 0xff])))
    const before = process.memoryUsage().rss
    expect(reasonOf(bomb, TYPES.msgpack)).toBe('undecodable')
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
  })

  it('stop a bomb of aliases', () => {
    const levels = Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n}, `.repeat(9)}]`)
    expect(reasonOf(`a0: &a0 [x]\n${levels.join('\n')}`, TYPES.yaml)).toBe('too-many-items')
    expect(reasonOf('&a [*a]', TYPES.yaml)).toBe('undecodable')
  })
})

describe('yaml', () => {
  it.each<[string, unknown]>([
    ['- 12e34567\n- 08\n- y\n- 1e5\n- =x', ['12e34567', '08', 'y', '1e5', '=x']],
    [
      '[yes, Off, ~, 0x1F, 010, 0b11, 1_000, 190:20:30, 1.5e+3, .inf]',
      [true, false, null, 31, 8, 3, 1000, 685230, 1500, Number.POSITIVE_INFINITY],
    ],
    ['12345678901234567890', 12345678901234567890n],
    ['2024-01-02 03:04:05.000678+00:00', new PreciseDate('2024-01-02T03:04:05.000678+00:00')],
    ['2024-01-02 03:04:05', new PlainDateTime('2024-01-02T03:04:05')],
    ['2024-01-02', new PlainDate('2024-01-02')],
    ['!!binary aGk=', Buffer.from('hi')],
    ['"2024-01-02"', '2024-01-02'],
    ['a: &x [1]\nb: *x', { a: [1], b: [1] }],
    ['[&a 1, {*a : 2}]', [1, { 1: 2 }]],
    ['{2024-01-02: 1}', { '2024-01-02': 1 }],
    ['{__proto__: {a: 1}}', JSON.parse('{"__proto__": {"a": 1}}')],
  ])('reads %j as PyYAML does', (yaml, value) => {
    expect(read(yaml, TYPES.yaml)).toEqual(value)
  })

  it.each([
    '!!python/object/apply:os.system ["true"]',
    '!custom 1',
    '!!js/function "x"',
    '[1',
    '2024-02-30',
    '---\na\n---\nb',
    '{[1]: 2}',
    '? {a: 1}\n: 2',
    '[&a [1], {*a : 2}]',
    '!!set {[1]}',
  ])('refuses %j', (yaml) => {
    expect(reasonOf(yaml, TYPES.yaml)).toBe('undecodable')
  })

  it('writes NaN, which JSON has not', () => {
    expect(roundTrip([Number.NaN, Number.NEGATIVE_INFINITY], 'yaml')).toEqual([Number.NaN, Number.NEGATIVE_INFINITY])
  })
})

describe('what a serializer has no form for', () => {
  it.each([
    ['yaml', new Decimal('1'), 'a Decimal cannot be written as YAML, at $[0]'],
    ['yaml', new Uuid('0'.repeat(32)), 'a Uuid cannot be written as YAML, at $[0]'],
    ['msgpack', new PlainDate('2024-01-01'), 'a PlainDate cannot be written as msgpack, at $[0]'],
    ['msgpack', new PreciseDate('2024-01-01T00:00:00.000001Z'), 'a PreciseDate cannot be written as msgpack, at $[0]'],
    ['msgpack', 2n ** 64n, "18446744073709551616 has more than the 64 bits of msgpack's integers, at $[0]"],
    ['json', Number.NaN, 'NaN cannot be written as JSON, at $[0]'],
  ])('is named: %s, %p', (name, value, message) => {
    expect(() => dumps([value], name)).toThrow(message)
  })
})
