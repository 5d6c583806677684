import { describe, expect, it } from '@jest/globals'
import { signatureOf } from '../../lib/app/signature.js'

/** Functions from their text, so that no compiler changes it. */
const fn = (source: string): ((...args: never[]) => unknown) => new Function(`return ${source}`)()

describe('signatureOf', () => {
  it.each<readonly [source: string, names: readonly (string | null)[], rest?: boolean]>([
    ['() => 1', []],
    ['x => x', ['x']],
    ['async x => x', ['x']],
    ['async => 1', ['async']],
    ['(x, y) => x + y', ['x', 'y']],
    ['async (x, y,) => x', ['x', 'y']],
    ['function (x) { return x }', ['x']],
    ['async function named(x, y = 1) { return x }', ['x', 'y']],
    ['function* steps(x) { yield x }', ['x']],
    ['({ fetch(url, depth = 1) {} }).fetch', ['url', 'depth']],
    ['({ async fetch(url) {} }).fetch', ['url']],
    ["(x, y = ',)', z = { a: [1, 2], b: (3, 4) }) => 1", ['x', 'y', 'z']],
    ["(x = '\\'', y = \"(\") => 1", ['x', 'y']],
    ['({ a, b }, [c, d] = [1, 2]) => 1', [null, null]],
    ['(x, /* y, */ z, // w)\n v) => 1', ['x', 'z', 'v']],
    ['(x, ...rest) => 1', ['x'], true],
    ['(...args) => 1', [], true],
    ['(x = (y => [y, y])(1), z) => 1', ['x', 'z']],
  ])('reads %s', (source, names, rest = false) => {
    expect(signatureOf(fn(source))).toEqual({ names, rest })
  })

  it.each([
    'Math.max',
    '(x => x).bind(null)',
    'function (x) { return arguments.length }',
    '(x = `1, 2`, y) => 1',
    '(x = /[,)]/, y) => 1',
    '(x = 4 / 2, y) => 1',
    "({ ['a' + 'b'](x, y) {} }).ab",
  ])('does not guess at %s', (source) => {
    expect(signatureOf(fn(source))).toBeNull()
  })
})
