import { describe, expect, it } from '@jest/globals'
import { Changes } from '../../lib/fleet/changes.js'
import type { Table } from '../../lib/fleet/roster.js'

/** `ab` has the members a and b; `aab-` is who holds lanes 0 to 3. */
function table(version: number, members: string, lanes: string): Table {
  const of = (id: string) => ({ id, slots: 1, since: 0 })
  return {
    leader: 'a',
    version,
    members: [...members].map(of),
    lanes: [...lanes].map((id) => (id === '-' ? null : id)),
  }
}

describe('the changes of a fleet', () => {
  it('say how many lanes moved and who came or left, the latest first', () => {
    const changes = new Changes()
    const tables = [table(0, '', '----'), table(1, 'a', 'aaaa'), table(2, 'ab', 'aabb'), table(3, 'b', 'bbbb')]
    for (const [at, after] of tables.slice(1).entries()) changes.note(tables[at] ?? after, after, at)
    expect(changes.latest).toEqual([
      { at: 2, version: 3, moves: 2, came: [], left: ['a'] },
      { at: 1, version: 2, moves: 2, came: ['b'], left: [] },
      { at: 0, version: 1, moves: 0, came: ['a'], left: [] },
    ])
  })

  it('have nothing to say of a table that is only said again, by another leader', () => {
    const changes = new Changes()
    changes.note(table(1, 'ab', 'aabb'), { ...table(2, 'ab', 'aabb'), leader: 'b' }, 1)
    expect(changes.latest).toEqual([])
  })

  it('name nobody when shares are evened out', () => {
    const changes = new Changes()
    changes.note(table(1, 'ab', 'aaab'), table(2, 'ab', 'aabb'), 1)
    expect(changes.latest).toEqual([{ at: 1, version: 2, moves: 1, came: [], left: [] }])
  })

  it('are few, however often workers come and go', () => {
    const changes = new Changes()
    for (let at = 0; at < 100; at++) changes.note(table(at, 'a', 'aaaa'), table(at + 1, 'ab', 'aabb'), at)
    expect(changes.latest.map(({ at }) => at)).toEqual(Array.from({ length: 20 }, (_, back) => 99 - back))
  })
})
