import { execFileSync } from 'node:child_process'
import { describe, expect, it } from '@jest/globals'
import { matchesGlob } from '../../lib/settings/glob.js'
import { growthOf } from '../support/growth.js'
import { PYTHON } from '../support/peers.js'

describe('matchesGlob', () => {
  it.each([
    ['tasks.add', 'tasks.add', true],
    ['tasks.add', 'tasks.*', true],
    ['tasks.', 'tasks.*', true],
    ['tasks', 'tasks.*', false],
    ['a.b.c', '*.c', true],
    ['a.b.c', '*b', false],
    ['abc', 'a?c', true],
    ['ac', 'a?c', false],
    ['a.c', 'a.c', true],
    ['abc', 'a.c', false],
    ['a\nc', 'a*c', true],
    ['a[x]', 'a[x]', true],
    ['ax', 'a[x]', false],
    ['', '', true],
    ['', '*', true],
    ['', '?', false],
    ['aXbXc', '*X*c', true],
    ['aab', '*ab', true],
    ['😀', '?', true],
  ])('%j matches %j: %s', (text, pattern, expected) => {
    expect(matchesGlob(text, pattern)).toBe(expected)
  })

  it('reads sets as fnmatch does, beside Python', () => {
    const texts = ['', 'a', 'b', 'ab', 'a-', ']', '-', '!', '[', '[a', 'a]', 'ba', '^']
    const pieces = [
      '*',
      '?',
      'a',
      '[a]',
      '[!a]',
      '[a-c]',
      '[]]',
      '[!]]',
      '[a-]',
      '[-a]',
      '[',
      '[!',
      ']',
      '[a',
      '[^a]',
      '[c-a]',
    ]
    const patterns = pieces.flatMap((one) => ['', ...pieces].map((other) => one + other))
    const cases = patterns.flatMap((pattern) => texts.map((text) => [text, pattern] as const))
    const script =
      'import fnmatch, json, sys; print(json.dumps([fnmatch.fnmatchcase(*c) for c in json.load(sys.stdin)]))'
    const expected = JSON.parse(execFileSync(PYTHON, ['-c', script], { input: JSON.stringify(cases) }).toString())
    expect(cases.filter(([text, pattern], at) => matchesGlob(text, pattern, { sets: true }) !== expected[at])).toEqual(
      [],
    )
  })

  it.each<[string, (size: number) => string]>([
    ['stars', (size) => `${'*'.repeat(size)}Z`],
    ['stars and letters', (size) => `${'*a'.repeat(size)}Z`],
    ['question marks', (size) => `*${'?'.repeat(size)}Z`],
  ])('takes no longer than its pattern is long: %s', (_what, patternOf) => {
    const name = 'a'.repeat(60)
    expect(growthOf((pattern: string) => matchesGlob(name, pattern), patternOf, 200_000)).toBeLessThan(4)
  })

  it('takes no longer than its text is long', () => {
    expect(
      growthOf(
        (text: string) => matchesGlob(text, '*a*a*a*b*Z'),
        (size) => 'ab'.repeat(size),
        50_000,
      ),
    ).toBeLessThan(4)
  })
})
