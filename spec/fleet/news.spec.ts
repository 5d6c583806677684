import { describe, expect, it } from '@jest/globals'
import { decodeNews, encodeNews } from '../../lib/fleet/news.js'
import type { News } from '../../lib/fleet/roster.js'

const [A, B] = [
  { id: 'a', slots: 16, since: 1 },
  { id: 'b', slots: 8, since: 2 },
]

describe('news', () => {
  it.each<News>([
    { type: 'join', member: A as never, version: 7 },
    { type: 'leave', id: 'a' },
    { type: 'table', table: { leader: 'a', version: 3, members: [A, B] as never, lanes: ['b', null, 'a'] } },
  ])('arrives as it was sent: %j', (news) => {
    expect(decodeNews(encodeNews(news))).toEqual(news)
  })

  it.each([
    '',
    'null',
    '[]',
    '{"type":"ping"}',
    '{"type":"join"}',
    '{"type":"join","member":{"id":1}}',
    '{"type":"leave"}',
    '{"type":"table","table":{"lanes":[]}}',
    '{"type":"table","table":{"leader":"a","version":1,"members":[],"lanes":[]}}',
    `{"type":"table","table":{"leader":"a","version":1,"members":[],"lanes":${JSON.stringify(new Array(4097).fill(0))}}}`,
    '{"type":"table","table":{"leader":"a","version":1e300,"members":[],"lanes":[-1]}}',
    '{"type":"table","table":{"leader":"a","version":-1,"members":[],"lanes":[-1]}}',
  ])('is nothing in %p', (text) => {
    expect(decodeNews(Buffer.from(text))).toBeNull()
  })

  it.each(['1e300', '9007199254740991', '1.5', '-1', '"9"', 'null'])('has no version in a join with %s', (version) => {
    const text = `{"type":"join","member":${JSON.stringify(A)},"version":${version}}`
    expect(decodeNews(Buffer.from(text))).toEqual({ type: 'join', member: A, version: 0 })
  })

  it('of a table of 1,000 members and 4,096 lanes takes less than 100 kB', () => {
    const members = Array.from({ length: 1000 }, (_, n) => ({
      id: `w${n}@host-${n}#abcd0123`,
      slots: 16,
      since: 1.7e12 + n,
    }))
    const lanes = Array.from({ length: 4096 }, (_, lane) => members[lane % 1000]?.id ?? null)
    const table = { leader: members[0]?.id ?? '', version: 1, members, lanes }
    expect(encodeNews({ type: 'table', table }).length).toBeLessThan(100_000)
  })
})
