import { describe, expect, it } from '@jest/globals'
import { clip, printable } from '../../lib/protocol/printable.js'
import { growthOf } from '../support/growth.js'

describe('printable', () => {
  it.each([
    ['tasks.add', 'tasks.add'],
    ['grün 😀 "quoted" \\ %s', 'grün 😀 "quoted" \\ %s'],
    ['a\u001b[2Jb\u0007\r\u0008', 'a\\x1b[2Jb\\x07\\r\\x08'],
    ['a\nb\tc\u0000\u007f', 'a\\nb\\tc\\x00\\x7f'],
    ['\u009b31m\u0085', '\\x9b31m\\x85'],
    ['a\u202eb\u2066c\u2028d\u200f', 'a\\u202eb\\u2066c\\u2028d\\u200f'],
  ])('writes %j as %s', (text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  it('leaves newlines and tabs to texts of several lines, and nothing else', () => {
    expect(printable('a\n\tb\r\n\u001b[0m\u202e', { lines: true })).toBe('a\n\tb\\r\n\\x1b[0m\\u202e')
  })

  it('takes no longer than its text is long', () => {
    expect(growthOf(printable, (size) => `${'a\u001b'.repeat(size)}`, 50_000)).toBeLessThan(4)
  })
})

describe('clip', () => {
  it('leaves what is short enough alone', () => {
    expect(clip('abcdefgh', 8)).toBe('abcdefgh')
  })

  it('leaves out the middle, and says how much that is', () => {
    expect(clip('abcdefghijklmnop', 8)).toBe('abcdef...(8 characters)...op')
  })

  it('cuts no character in two', () => {
    expect(clip(`abcde😀${'x'.repeat(20)}😀z`, 8)).toBe('abcde...(24 characters)...z')
  })
})
