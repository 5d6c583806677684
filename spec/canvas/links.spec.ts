import { describe, expect, it } from '@jest/globals'
import { link, linkError } from '../../lib/canvas/links.js'
import { chordSignature, listSignature, type Signature, taskSignature } from '../../lib/canvas/signature.js'
import { Decimal, PreciseDate } from '../../lib/protocol/values.js'

const errback = (arg: unknown, kwargs: Record<string, unknown> = {}): Signature => taskSignature('e', [arg], kwargs)
const listed = (sigs: Signature[], before: Signature[] = []): Signature[] => {
  const sig = taskSignature('a', [], {}, { link_error: before })
  linkError(sig, sigs, { errorsOnHeader: false })
  return sig.options.link_error as Signature[]
}
/** Enough for a list that is not searched as it is. */
const many = (count = 20): Signature[] => Array.from({ length: count }, (_, at) => errback(`many ${at}`))

describe('callbacks of a signature', () => {
  /** All different from each other, and new with each call. */
  const values = (): unknown[] => [
    ...['1', 1, 1n, -0, 0, null, true, Number.NaN, [], ['1'], {}, { a: 1 }, { a: '1' }, 't1', 'n1'],
    ...[new Date(0), new Date(1), Buffer.from('1'), Buffer.from('2'), new Decimal('1'), new Decimal('1.0')],
    ...['000001', '000002'].map((micros) => new PreciseDate(`1970-01-01T00:00:00.${micros}Z`)),
  ]

  it.each([
    ['a short list', []],
    ['a long list', many()],
  ])('are added once each: %s', (_, before) => {
    const copies = values().map((value) => errback(value))
    for (const [at, one] of values()
      .map((value) => errback(value))
      .entries()) {
      const same = copies[at] as Signature
      expect(listed([one, same, one], before)).toEqual([...before, one])
      expect(listed([same], [...before, one])).toEqual([...before, one])
    }
  })

  it('are kept if anything in them differs', () => {
    const all = (): Signature[] => values().map((value) => errback(value))
    expect(listed([...all(), ...all()], many())).toEqual([...many(), ...all()])
  })

  it('are the same whatever the order of their keys', () => {
    const [one, other] = [errback(1, { a: 1, b: { c: 1, d: 2 } }), errback(1, { b: { d: 2, c: 1 }, a: 1 })]
    expect(listed([one, other], many())).toEqual([...many(), one])
  })

  it('go where those of a group and a chord go', () => {
    const [first, second, body] = ['first', 'second', 'body'].map((name) => taskSignature(name)) as [
      Signature,
      Signature,
      Signature,
    ]
    const group = listSignature('group', [first, second])
    link(group, [errback(1), errback(2)])
    expect(first.options.link).toEqual([1, 2].map((arg) => ({ ...errback(arg), immutable: true })))
    expect(second.options).toEqual({})
    linkError(chordSignature(group, body), many(), { errorsOnHeader: true })
    expect([first, second, body].map(({ options }) => options.link_error)).toEqual([many(), many(), many()])
  })

  it('are not each compared with each', () => {
    const reads = (count: number): number => {
      let counted = 0
      const watched = many(count).map((sig) => {
        return Object.defineProperty(sig, 'task', { enumerable: true, get: () => ++counted && 'e' })
      })
      listed(watched)
      return counted / count
    }
    expect(reads(2000)).toBe(reads(20))
  })
})
