import { describe, expect, it } from '@jest/globals'
import { copyOf, newCopy } from '../../lib/protocol/bodyCopy.js'

describe('the copies of a body', () => {
  it('are told apart, and belong to one header', () => {
    const [one, two] = [copyOf(newCopy('a/b')), copyOf(newCopy('a/b'))]
    expect(one?.groupId).toBe('a/b')
    expect(two?.groupId).toBe('a/b')
    expect(one?.copy).not.toBe(two?.copy)
  })

  it.each([undefined, null, 1, {}, '', 'a', '/a', `a/${'b'.repeat(300)}`])('are not told apart by %j', (header) => {
    expect(copyOf({ 'celeriac-copy': header })).toBeNull()
  })
})
