import { beforeEach, describe, expect, it } from '@jest/globals'
import type { Arguments } from '../../lib/control/arguments.js'
import { Mingle, type Neighbours } from '../../lib/control/mingle.js'
import { LamportClock } from '../../lib/protocol/lamport.js'
import { Revoked } from '../../lib/request/revoked.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'

/** A worker's mingle, with a machine that was started a while before. */
class Node {
  readonly clock = new FakeClock()
  readonly lamport = new LamportClock()
  readonly log = new MemoryLog()
  readonly revoked = new Revoked(this.clock)
  readonly mingle: Mingle

  constructor(
    readonly nodename: string,
    bootedAt = 0,
  ) {
    const { clock, lamport, log, revoked } = this
    const monotonic = (): number => (clock.now() - bootedAt) / 1000
    this.mingle = new Mingle({ nodename, revoked, clock, lamport, log, monotonic })
  }
}

function replying(replies: Record<string, unknown>): Neighbours & { asked: Arguments[] } {
  const asked: Arguments[] = []
  return {
    asked,
    hello: async (args) => {
      asked.push(args)
      return new Map(Object.entries(replies))
    },
  }
}

/** As it arrives: through JSON. */
const wire = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

describe('mingle', () => {
  let node: Node

  beforeEach(() => {
    node = new Node('a@spec')
  })

  it('is all alone when nobody answers', async () => {
    const neighbours = replying({})
    await node.mingle.sync(neighbours)
    expect(neighbours.asked).toEqual([{ from_node: 'a@spec', revoked: {}, monotonic: 1000 }])
    expect(node.log.of('INFO')).toEqual(['mingle: searching for neighbors', 'mingle: all alone'])
  })

  it('does not count itself among those that answer', async () => {
    await node.mingle.sync(replying({ 'a@spec': null }))
    expect(node.log.of('INFO').at(-1)).toBe('mingle: all alone')
  })

  it("takes over Python's revoked ids and the clock, and tells its own", async () => {
    node.revoked.add('mine')
    const neighbours = replying({ 'a@spec': null, 'py@spec': { revoked: { theirs: [77.25, 'theirs'] }, clock: 50 } })
    await node.mingle.sync(neighbours)
    expect(neighbours.asked[0]?.revoked).toEqual({ mine: [1000.000001, 'mine'] })
    expect(node.revoked.ids).toEqual(['mine', 'theirs'])
    expect(node.lamport.value).toBe(51)
    expect(node.log.of('INFO')).toEqual([
      'mingle: searching for neighbors',
      'mingle: sync with 1 nodes',
      'mingle: sync complete',
    ])
  })

  it.each([
    ['an error', { error: "ValueError('x')" }],
    ['a text', 'what?'],
    ['a number', 7],
  ])('goes on when one neighbour answers %s', async (_what, reply) => {
    await node.mingle.sync(replying({ bad: reply, good: { revoked: { x: 1.5 }, clock: 3 } }))
    expect(node.log.of('WARNING')).toHaveLength(1)
    expect(node.log.of('WARNING')[0]).toContain('mingle: sync with bad failed:')
    expect(node.revoked.has('x')).toBe(true)
  })

  it.each([[{}], [{ revoked: [1], clock: 'x' }], [{ revoked: { a: {} }, clock: -5 }], [[]]])(
    'learns nothing from a neighbour that answers %j',
    async (reply) => {
      await node.mingle.sync(replying({ odd: reply }))
      expect(node.revoked.ids).toEqual([])
      expect(node.lamport.value).toBe(0)
    },
  )
})

describe('the command hello', () => {
  it('answers null to the node itself', () => {
    const node = new Node('a@spec')
    expect(node.mingle.hello({ from_node: 'a@spec', revoked: { x: 1.5 } })).toBeNull()
    expect(node.revoked.ids).toEqual([])
  })

  it('tells what is revoked and the clock, and learns what the other knows', () => {
    const node = new Node('a@spec')
    node.revoked.add('mine')
    expect(node.mingle.hello({ from_node: 'b@spec', revoked: { theirs: [5.5, 'theirs'] } })).toEqual({
      revoked: { mine: [1000.000001, 'mine'], theirs: [1000.000001, 'theirs'] },
      clock: 1,
      monotonic: 1000,
    })
    expect(node.log.of('INFO')).toEqual(['sync with b@spec'])
  })

  it('is no way to remember an id for ever: it keeps its age between machines that were started at different times', () => {
    const [old, young] = [new Node('old@spec'), new Node('young@spec', 900_000)]
    old.revoked.add('x')
    for (let greeting = 0; greeting < 6; greeting++) {
      const [from, to] = greeting % 2 === 0 ? [old, young] : [young, old]
      const args = { from_node: from.nodename, ...from.mingle.hello({ from_node: 'nobody' }) }
      to.mingle.hello(wire(args))
      for (const { clock } of [old, young]) clock.advance(1_800_000)
    }
    expect([old.revoked.has('x'), young.revoked.has('x')]).toEqual([false, false])
    const late = { from_node: 'old@spec', ...old.mingle.hello({ from_node: 'nobody' }) }
    expect(young.mingle.hello(wire(late))?.revoked).toEqual({})
  })
})
