import { describe, expect, it } from '@jest/globals'
import { copyOf, newCopy } from '../../lib/protocol/bodyCopy.js'

describe('the copies of a body', () => {
  it('are told apart, and belong to one completion of one header', () => {
    const [one, two] = [copyOf(newCopy('a/b', 'c')), copyOf(newCopy('a/b', 'c'))]
    expect(one).toMatchObject({ groupId: 'a/b', completion: 'c' })
    expect(two).toMatchObject({ groupId: 'a/b', completion: 'c' })
    expect(one?.copy).not.toBe(two?.copy)
  })

  it.each([undefined, null, 1, {}, '', 'a', '/a', 'a/b', '/a/b', 'a//b', `a/b/${'c'.repeat(350)}`])(
    'are not told apart by %j',
    (header) => {
      expect(copyOf({ 'celeriac-copy': header })).toBeNull()
    },
  )
})
