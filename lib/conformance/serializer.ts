import { deepEqual, equal, match, ok, throws } from 'node:assert/strict'
import type { Serializer } from '../protocol/content/serializers.js'
import { type AddTest, cases } from './suite.js'

/** A serializer, with the types that it can express. */
export interface SerializerCase {
  /** The serializer given to `registerSerializer`. */
  readonly serializer: Serializer
  /** True if bytes come back as bytes. */
  readonly bytes: boolean
  /** True if integers past 2^53 come back as BigInt. */
  readonly longIntegers: boolean
}

const LIMITS = { maxNesting: 100, maxItems: 10_000 }
const VALUES: ReadonlyArray<readonly [what: string, value: unknown]> = [
  ['null', null],
  ['true and false', [true, false]],
  ['integers', [0, 1, -1, 127, 128, 255, 256, 65_536, 2 ** 31, -(2 ** 31), 2 ** 32, Number.MAX_SAFE_INTEGER]],
  ['fractions', [0.5, -0.1, 1e300, 5e-324]],
  ['texts', ['', 'a', 'naïve ☂ 漢 🎉', '\u0000', '"quoted" \\ \n', 'true', '1', 'x'.repeat(70_000)]],
  ['empty containers', [[], {}]],
  ['nested values', { a: [1, { b: null }], 'key with space': [[]], '': 0, 1: 'one' }],
  ['the body of a task', [[1, 'two'], { three: 3 }, { callbacks: null, errbacks: null, chain: null, chord: null }]],
]

/**
 * Runs the tests that a serializer has to pass before it is used for the bodies of tasks. A serializer that passes is
 * ready.
 * @param test the `test` of Jest, Vitest or `node:test`
 */
export function testSerializer(test: AddTest, { bytes, longIntegers, serializer }: SerializerCase): void {
  const it = cases(
    test,
    `the serializer ${serializer.name}`,
    () => undefined,
    async () => undefined,
  )
  const there = (value: unknown, limits = LIMITS): unknown => serializer.read(serializer.write(value), limits)
  const nested = (depth: number): unknown => (depth === 0 ? [] : [nested(depth - 1)])

  it('has names that messages can carry', async () => {
    match(serializer.contentType, /^[\w.+-]+\/[\w.+-]+$/)
    match(serializer.contentEncoding, /^[\w-]+$/)
    ok(Buffer.isBuffer(serializer.write([])))
  })

  for (const [what, value] of VALUES) it(`gives back ${what}`, async () => deepEqual(there(value), value))

  it('leaves the value that it writes as it is', async () => {
    const value = { a: [1, { b: [Buffer.from('x').toString()] }] }
    serializer.write(value)
    deepEqual(value, { a: [1, { b: ['x'] }] })
  })

  it('takes a key for a key, whatever its name', async () => {
    const value = JSON.parse('{ "__proto__": { "polluted": true }, "constructor": 1 }')
    let read: { polluted?: boolean }
    try {
      read = there(value) as object
    } catch {
      // Refusing it is safe, too.
      return
    }
    deepEqual(Object.keys(read).sort(), ['__proto__', 'constructor'])
    equal(read.polluted, undefined)
    equal(({} as { polluted?: boolean }).polluted, undefined)
  })

  it('refuses to write what it has no form for', async () => {
    const circle: unknown[] = []
    circle.push(circle)
    throws(() => serializer.write([circle]), TypeError)
  })

  it('refuses to read what is none of its kind', async () => {
    throws(() => serializer.read(Buffer.from([0xff, 0xfe, 0x00, 0xc1]), LIMITS))
  })

  it('refuses to read what is nested too deep, or has too many items', async () => {
    ok(there(nested(LIMITS.maxNesting - 2)))
    throws(() => there(nested(LIMITS.maxNesting + 1)))
    const many = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, at]))
    ok(there(many(LIMITS.maxItems / 100)))
    throws(() => there(many(LIMITS.maxItems + 1)))
  })

  if (bytes) {
    it('gives back bytes, whatever they are', async () => {
      const value = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
      const read = there({ value }) as { value: Buffer }
      deepEqual([...read.value], [...value])
    })
  }

  if (longIntegers) {
    it('gives back integers past 2^53', async () =>
      deepEqual(there([2n ** 60n, -(2n ** 60n)]), [2n ** 60n, -(2n ** 60n)]))
  }
}
