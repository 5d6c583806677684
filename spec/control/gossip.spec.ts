import { beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Gossip } from '../../lib/control/gossip.js'
import { Members } from '../../lib/control/members.js'
import type { WireEvent } from '../../lib/protocol/event.js'
import { LamportClock } from '../../lib/protocol/lamport.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'

interface Sent {
  readonly type: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** One worker that gossips, without a broker. */
class Node {
  readonly clock = new FakeClock()
  readonly lamport = new LamportClock()
  readonly log = new MemoryLog()
  readonly sent: Sent[] = []
  readonly applied: unknown[] = []
  readonly members = new Members(this.clock)
  readonly gossip: Gossip

  constructor(
    readonly nodename: string,
    apply?: (signature: unknown) => unknown,
  ) {
    const { applied, clock, lamport, log, members, sent } = this
    this.gossip = new Gossip({
      nodename,
      members,
      pid: 100,
      clock,
      lamport,
      log,
      send: (type, fields) => sent.push({ type, fields: { ...fields, clock: lamport.forward() } }),
      apply: apply ?? ((signature) => applied.push(signature)),
    })
    this.gossip.up()
  }

  hear(hostname: string, type: string, fields: Record<string, unknown> = {}): void {
    const event = { hostname, utcoffset: 0, pid: 100, clock: 1, timestamp: 1, freq: 2, ...fields, type }
    this.gossip.receive(event)
  }
}

/** Delivers everything that the nodes send to all of them, in rounds: what answers an event comes after all that was sent with it. */
function exchange(nodes: readonly Node[]): void {
  for (;;) {
    const round = nodes.flatMap(({ nodename, sent }) => sent.splice(0).map((event) => ({ nodename, ...event })))
    if (round.length === 0) return
    for (const { fields, nodename, type } of round) for (const node of nodes) node.hear(nodename, type, fields)
  }
}

describe('gossip', () => {
  let node: Node

  beforeEach(() => {
    node = new Node('a@spec')
  })

  it('notices who comes and who goes', () => {
    node.hear('b@spec', 'worker-online')
    node.hear('c@spec', 'worker-heartbeat')
    node.hear('b@spec', 'worker-heartbeat')
    node.hear('b@spec', 'worker-offline')
    expect(node.log.of('DEBUG')).toEqual(['b@spec joined the party', 'c@spec joined the party', 'b@spec left'])
    expect(node.members.alive.map(({ hostname }) => hostname)).toEqual(['c@spec'])
  })

  it('says once of a worker that its heartbeats have stopped, and welcomes it again', () => {
    node.hear('b@spec', 'worker-heartbeat')
    node.clock.advance(4_999)
    expect(node.log.of('INFO')).toEqual([])
    node.clock.advance(1)
    expect(node.log.of('INFO')).toEqual(['missed heartbeat from b@spec'])
    node.clock.advance(20_000)
    expect(node.log.of('INFO')).toHaveLength(1)
    node.hear('b@spec', 'worker-heartbeat')
    expect(node.log.of('DEBUG')).toEqual(['b@spec joined the party', 'b@spec joined the party'])
  })

  it('is not a member of its own list, and counts its own messages', () => {
    node.hear('a@spec', 'worker-heartbeat', { clock: 500 })
    expect(node.members.alive).toEqual([])
    expect(node.lamport.value).toBe(1)
  })

  it('still elects where a clock was forged that no fleet counts to', () => {
    const other = new Node('b@spec')
    node.hear('forger@spec', 'worker-heartbeat', { clock: 2 ** 50 })
    expect(node.lamport.value).toBe(0)
    // What another implementation has believed.
    other.lamport.adjust(2 ** 50)
    for (const each of [node, other]) {
      each.hear('a@spec', 'worker-heartbeat')
      each.hear('b@spec', 'worker-heartbeat')
      each.gossip.election('e1', 'task', { task: 't' })
    }
    exchange([node, other])
    expect([node.applied, other.applied].flat()).toEqual([{ task: 't' }])
    expect(other.log.of('ERROR')).toEqual([])
  })

  it('keeps little of what it is told, however long it is', () => {
    const long = 'x'.repeat(900_000)
    for (let n = 0; n < 200; n++) {
      node.hear(`${long}${n}`, 'worker-heartbeat')
      node.hear('c@spec', 'worker-elect', { id: `${n}${long}`, topic: 'task', action: null })
      node.hear('c@spec', 'worker-elect', { id: 'one', topic: 'task', action: long, pid: n })
    }
    expect(node.members.alive.map(({ hostname }) => hostname)).toEqual([])
    // Each election that it stands in costs it at least the length of its id.
    expect(node.sent.filter(({ type }) => type === 'worker-elect').length).toBeLessThan(10)
    node.clock.advance(70_000)
    node.hear('c@spec', 'worker-elect', { id: 'next', topic: 'task', action: null })
    expect(node.sent.at(-2)).toMatchObject({ type: 'worker-elect', fields: { id: 'next' } })
  })

  it("moves its clock past the others'", () => {
    node.hear('b@spec', 'worker-heartbeat', { clock: 500 })
    expect(node.lamport.value).toBe(501)
  })

  it('forgets the others without a word when it can hear no more, and sets no timer then', () => {
    node.hear('b@spec', 'worker-heartbeat')
    node.gossip.down()
    node.hear('c@spec', 'worker-heartbeat')
    expect(node.clock.pending).toBe(0)
    expect(node.members.alive).toEqual([])
    expect(node.log.of('INFO')).toEqual([])
  })

  it('lives through whatever arrives', () => {
    const types = fc.constantFrom('worker-elect', 'worker-elect-ack', 'worker-heartbeat', 'worker-offline', 'task-sent')
    const fields = fc.dictionary(
      fc.constantFrom('id', 'clock', 'pid', 'topic', 'action', 'freq', 'active', '__proto__'),
      fc.anything({ maxDepth: 1 }),
    )
    const events = fc.tuple(types, fc.constantFrom('a@spec', 'b@spec', ''), fields)
    fc.assert(
      fc.property(fc.array(events, { maxLength: 20 }), (stream) => {
        const target = new Node('a@spec')
        for (const [type, hostname, rest] of stream) {
          target.gossip.receive({ hostname, ...rest, type } as unknown as WireEvent)
        }
        target.clock.advance(60_000)
        target.hear('z@spec', 'worker-online')
        expect(target.members.alive.map(({ hostname }) => hostname)).toContain('z@spec')
        expect(Number.isSafeInteger(target.lamport.value)).toBe(true)
      }),
    )
  })
})

describe('an election', () => {
  const signature = { task: 'tasks.add', args: [1, 2] }

  it('is won by the worker that is alone', () => {
    const node = new Node('a@spec')
    node.gossip.election('e1', 'task', signature)
    exchange([node])
    expect(node.log.of('INFO')).toEqual(["I won the election 'e1'"])
    expect(node.applied).toEqual([signature])
  })

  it('is won by one of several: the lowest clock, and all agree', () => {
    const nodes = ['a@spec', 'b@spec', 'c@spec'].map((name) => new Node(name))
    for (const node of nodes) for (const { nodename } of nodes) node.hear(nodename, 'worker-heartbeat')
    const [a, b, c] = nodes
    c?.lamport.adjust(5)
    a?.lamport.adjust(20)
    b?.lamport.adjust(30)
    for (const node of nodes) node.gossip.election('e1', 'task', signature)
    exchange(nodes)
    expect(nodes.map(({ log }) => log.of('INFO'))).toEqual([
      ["node c@spec.100 elected for 'e1'"],
      ["node c@spec.100 elected for 'e1'"],
      ["I won the election 'e1'"],
    ])
    expect(nodes.map(({ applied }) => applied.length)).toEqual([0, 0, 1])
  })

  it('goes to the lower name where clocks are equal', () => {
    const nodes = ['b@spec', 'a@spec'].map((name) => new Node(name))
    for (const node of nodes) for (const { nodename } of nodes) node.hear(nodename, 'worker-heartbeat', { clock: 0 })
    for (const node of nodes) node.gossip.election('e1', 'task', signature)
    exchange(nodes)
    expect(nodes.map(({ applied }) => applied.length)).toEqual([0, 1])
  })

  it('that it hears of first from a candidate sees it stand before it acknowledges, with a later clock, and once', () => {
    const node = new Node('a@spec')
    node.hear('py@spec', 'worker-elect', { id: 'e1', topic: 'task', action: signature, cver: 1, clock: 70 })
    node.gossip.election('e1', 'task', signature)
    expect(node.sent).toEqual([
      { type: 'worker-elect', fields: { id: 'e1', topic: 'task', action: signature, cver: 1, clock: 72 } },
      { type: 'worker-elect-ack', fields: { id: 'e1', clock: 73 } },
    ])
  })

  it('is not held again by what comes late, until it is forgotten', () => {
    const node = new Node('a@spec')
    node.gossip.election('e1', 'task', signature)
    exchange([node])
    const elect = { id: 'e1', topic: 'task', action: signature, cver: 1 }
    node.hear('py@spec', 'worker-elect', elect)
    node.hear('py@spec', 'worker-elect-ack', { id: 'e1' })
    expect(node.sent.map(({ type }) => type)).toEqual(['worker-elect-ack'])
    expect(node.applied).toHaveLength(1)
    node.clock.advance(65_000)
    node.hear('py@spec', 'worker-elect', elect)
    expect(node.sent.map(({ type }) => type)).toEqual(['worker-elect-ack', 'worker-elect', 'worker-elect-ack'])
  })

  it.each(['id', 'clock', 'pid', 'topic'])('is not for a candidate without its %s', (missing) => {
    const node = new Node('a@spec')
    const fields = { id: 'e1', topic: 'task', action: null, cver: 1, clock: 1, pid: 1, [missing]: undefined }
    node.hear('b@spec', 'worker-elect', fields)
    expect(node.sent).toEqual([])
    expect(node.log.of('ERROR')[0]).toContain('election request missing a field')
  })

  it('about something unknown is told and does nothing', () => {
    const node = new Node('a@spec')
    node.gossip.election('e1', 'tea', null)
    exchange([node])
    expect(node.log.of('ERROR')).toEqual(["Unknown election topic 'tea'"])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no such task')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no such task'))],
  ])('survives an action that %s', async (_how, apply) => {
    const node = new Node('a@spec', apply)
    node.gossip.election('e1', 'task', signature)
    exchange([node])
    await new Promise(setImmediate)
    expect(node.log.of('ERROR')).toEqual(["Could not call task: Exception('no such task')"])
  })

  it('is not for a node that hears nothing', () => {
    const node = new Node('a@spec')
    node.gossip.down()
    node.gossip.election('e1', 'task', signature)
    expect(node.sent).toEqual([])
  })

  it('is remembered for a minute, and no more than a thousand of them are', () => {
    const node = new Node('a@spec')
    for (let n = 0; n < 1100; n++) node.gossip.election(`e${n}`, 'task', signature)
    expect(node.sent).toHaveLength(1000)
    node.clock.advance(65_000)
    node.gossip.election('later', 'task', signature)
    expect(node.sent).toHaveLength(1001)
  })
})
