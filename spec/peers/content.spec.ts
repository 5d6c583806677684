import { execFileSync } from 'node:child_process'
import { describe, expect, it } from '@jest/globals'
import { BadMessage } from '../../lib/protocol/badMessage.js'
import { compress, decompress } from '../../lib/protocol/content/compression.js'
import { dumps, loads } from '../../lib/protocol/content/content.js'
import { PlainDate, PreciseDate } from '../../lib/protocol/values.js'
import { PYTHON } from '../support/peers.js'
import { isCelery } from '../support/versions.js'

const LIMITS = { accept: ['json', 'yaml', 'pickle'], maxSize: 10_000_000, maxNesting: 200 }

/** Runs a program with `data` (bytes of its standard input) and `out(bytes)`. */
function python(program: string, input: Buffer = Buffer.alloc(0)): Buffer {
  const frame = `import sys\ndata = sys.stdin.buffer.read()\nout = sys.stdout.buffer.write\n${program}`
  return execFileSync(PYTHON, ['-c', frame], { input, maxBuffer: 64 * 1024 * 1024 })
}

/** The content and its type as kombu's registry writes the Python expression. */
function kombuDumps(expression: string, serializer: string): { content: Buffer; contentType: string } {
  const output = python(`
import datetime, decimal, uuid
from kombu.serialization import dumps
contentType, encoding, body = dumps(${expression}, '${serializer}')
out(contentType.encode() + b'\\n' + (body if isinstance(body, bytes) else body.encode()))`)
  const end = output.indexOf(10)
  return { contentType: output.subarray(0, end).toString(), content: output.subarray(end + 1) }
}

const read = ({ content, contentType }: { content: Buffer; contentType: string }) =>
  loads(content, { contentType }, LIMITS)

const WORDS = [
  '12e34567',
  '08',
  'y',
  '1e5',
  '1:30',
  'yes',
  'null',
  '~',
  '<<',
  '=',
  '2024-01-01',
  '0x1f',
  '1_0',
  '.5',
  '',
  ' a',
  'a: b',
  '#',
  '!!x',
  '\u0085',
  'é😀\n\t"\\',
  '-',
  '0o7',
  '.nan',
  'NaN',
]

describe('content of a Python peer', () => {
  it.each(['json', 'yaml'])('reads values that kombu writes as %s', (serializer) => {
    const sample = `[[1, -5, 2**60, 1.5, 1e300, 1e16, 0.1, True, None, float('inf'), float('-inf')], {'é': {'a': [[], {}, '']}}, ${JSON.stringify(WORDS)}]`
    expect(read(kombuDumps(sample, serializer))).toEqual([
      [1, -5, 2n ** 60n, 1.5, 1e300, 1e16, 0.1, true, null, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      { é: { a: [[], {}, ''] } },
      WORDS,
    ])
    expect(read(kombuDumps("[float('nan')]", serializer))).toEqual([Number.NaN])
  })

  it('reads the dates and bytes of PyYAML', () => {
    const sample = `[datetime.datetime(2024, 1, 2, 3, 4, 5, 678, tzinfo=datetime.timezone.utc), datetime.date(2024, 1, 2), b'\\xff\\x00', datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc)]`
    expect(read(kombuDumps(sample, 'yaml'))).toEqual([
      new PreciseDate('2024-01-02T03:04:05.000678+00:00'),
      new PlainDate('2024-01-02'),
      Buffer.from([0xff, 0x00]),
      new Date('2024-01-02T00:00:00Z'),
    ])
  })

  it('reads the plain strings that an older kombu makes of dates, decimals and ids', () => {
    const sample = `[datetime.datetime(2024, 1, 2, 3, 4, 5, 678, tzinfo=datetime.timezone.utc), datetime.date(2024, 1, 1), datetime.time(1, 2, 3), decimal.Decimal('1.5'), uuid.UUID(int=1)]`
    const values = read(kombuDumps(sample, 'json'))
    // kombu 5.3 and later write their types.
    if (isCelery(5, 3)) {
      const types = (values as object[]).map((value) => value.constructor.name)
      expect(types).toEqual(['PreciseDate', 'PlainDate', 'PlainTime', 'Decimal', 'Uuid'])
      return
    }
    expect(values).toEqual([
      '2024-01-02T03:04:05.000678Z',
      '2024-01-01T00:00:00',
      '01:02:03',
      '1.5',
      '00000000-0000-0000-0000-000000000001',
    ])
  })

  it.each(['json', 'yaml'])('writes %s that kombu reads as the same values', (serializer) => {
    const { content, contentType } = dumps([1, -5, 2n ** 60n, 1e21, 1.5, 5e-324, true, null, { é: WORDS }], serializer)
    const shown = python(
      `
from kombu.serialization import loads
value = loads(data, '${contentType}', 'utf-8', accept=['${contentType}'])
expected = [1, -5, 2**60, 1e21, 1.5, 5e-324, True, None, {'é': ${JSON.stringify(WORDS)}}]
out(b'same' if value == expected and [type(v) for v in value] == [type(v) for v in expected] else repr(value).encode())`,
      content,
    )
    expect(shown.toString()).toBe('same')
  })

  it('writes dates and bytes that PyYAML reads as such', () => {
    const value = [
      new Date('2024-01-02T00:00:00Z'),
      new PreciseDate('2024-01-02T03:04:05.000678+02:00'),
      new PlainDate('2024-01-02'),
      Buffer.from([255, 0]),
    ]
    const shown = python(
      `
import datetime
from kombu.serialization import loads
utc = datetime.timezone.utc
value = loads(data, 'application/x-yaml', 'utf-8', accept=['application/x-yaml'])
expected = [datetime.datetime(2024, 1, 2, tzinfo=utc), datetime.datetime(2024, 1, 2, 1, 4, 5, 678, tzinfo=utc), datetime.date(2024, 1, 2), b'\\xff\\x00']
out(b'same' if value == expected else repr(value).encode())`,
      dumps(value, 'yaml').content,
    )
    expect(shown.toString()).toBe('same')
  })

  it('writes datetime wrappers that Python reads', () => {
    const dates = [new Date('2024-01-02T03:04:05.678Z'), new Date(0), new PreciseDate('2024-01-02T03:04:05.1234Z')]
    const shown = python(
      `
import datetime, json
out(','.join(datetime.datetime.fromisoformat(w['__value__']).isoformat() for w in json.loads(data)).encode())`,
      dumps(dates, 'json').content,
    )
    expect(shown.toString()).toBe(
      '2024-01-02T03:04:05.678000+00:00,1970-01-01T00:00:00+00:00,2024-01-02T03:04:05.123400+00:00',
    )
  })

  it('refuses the pickle of kombu even if it is asked to accept it', () => {
    const pickled = kombuDumps('[1]', 'pickle')
    expect(pickled.contentType).toBe('application/x-python-serialize')
    expect(() => read(pickled)).toThrow(BadMessage)
    expect(() => read(pickled)).toThrow(
      /Refusing to deserialize .* pickle .*set task_serializer = 'json' at the producer/,
    )
  })

  it.each(['gzip', 'zlib', 'bzip2'])('reads what kombu compresses with %s', (name) => {
    const text = Buffer.from('0123456789é'.repeat(200_000))
    const output = python(
      `from kombu.compression import compress\nbody, name = compress(data, '${name}')\nout(name.encode() + b'\\n' + body)`,
      text,
    )
    const end = output.indexOf(10)
    expect(decompress(output.subarray(end + 1), output.subarray(0, end).toString(), text.length)).toEqual(text)
  })

  it('compresses as kombu reads it', () => {
    const { type, content } = compress('gzip', Buffer.from('hello'))
    expect(
      python(`from kombu.compression import decompress\nout(decompress(data, '${type}'))`, content).toString(),
    ).toBe('hello')
  })
})
