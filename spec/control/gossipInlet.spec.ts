import { beforeEach, describe, expect, it } from '@jest/globals'
import type { ConsumeMessage } from 'amqplib'
import { AmqpSession } from '../../lib/amqp/amqpSession.js'
import type { Epoch } from '../../lib/amqp/epoch.js'
import { Gossip } from '../../lib/control/gossip.js'
import { GossipInlet } from '../../lib/control/gossipInlet.js'
import { Members } from '../../lib/control/members.js'
import { LamportClock } from '../../lib/protocol/lamport.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'

/** An epoch with one channel. No broker: what is published in `celeryev` there would reach the workers of other specs. */
class FakeEpoch {
  readonly calls: unknown[] = []
  readonly ended = new AbortController().signal
  refuses: string | null = null
  fail: (error: Error) => void = () => undefined
  deliver: (message: ConsumeMessage | null) => void = () => undefined

  async scratchChannel(onError: (error: Error) => void): Promise<unknown> {
    const call =
      (name: string) =>
      async (...args: unknown[]): Promise<void> => {
        if (this.refuses === name) throw new Error('refused')
        this.calls.push([name, ...args])
      }
    this.fail = onError
    return {
      assertExchange: call('assertExchange'),
      assertQueue: call('assertQueue'),
      bindQueue: call('bindQueue'),
      consume: async (queue: string, onMessage: (message: ConsumeMessage | null) => void, options: unknown) => {
        this.deliver = onMessage
        await call('consume')(queue, options)
      },
    }
  }
}

describe('the inlet of gossip', () => {
  let log: MemoryLog
  let clock: FakeClock
  let epoch: FakeEpoch
  let members: Members
  let gossip: Gossip
  let inlet: GossipInlet

  beforeEach(() => {
    log = new MemoryLog()
    clock = new FakeClock()
    epoch = new FakeEpoch()
    const lamport = new LamportClock()
    members = new Members(clock)
    gossip = new Gossip({
      nodename: 'a@spec',
      members,
      clock,
      lamport,
      log,
      send: () => undefined,
      apply: () => undefined,
    })
    inlet = new GossipInlet(gossip, log)
  })

  const up = (): Promise<void> => inlet.up(new AmqpSession(epoch as unknown as Epoch, log))
  const names = (): string[] => members.alive.map(({ hostname }) => hostname)
  const say = (text: string): void => epoch.deliver({ content: Buffer.from(text), properties: {} } as ConsumeMessage)
  const beat = JSON.stringify({ type: 'worker-heartbeat', hostname: 'b@spec', clock: 1, freq: 2 })

  it('is a queue of its own, bound to the events of workers', async () => {
    await up()
    const queue = expect.stringMatching(/^celeryev\.[0-9a-f-]{36}$/)
    expect(epoch.calls).toEqual([
      ['assertExchange', 'celeryev', 'topic', { durable: true }],
      ['assertQueue', queue, { durable: false, exclusive: true, autoDelete: true, expires: 60_000, messageTtl: 5000 }],
      ['bindQueue', queue, 'celeryev', 'worker.#'],
      ['consume', queue, { noAck: true }],
    ])
  })

  it('outlives everything that arrives, and takes what are events', async () => {
    await up()
    for (const text of [
      '',
      'no JSON',
      'null',
      '7',
      '[[]]',
      '{}',
      '{"type":1}',
      '{"hostname":{},"type":"worker-x"}',
      '{"hostname":"c@spec","type":"worker-elect"}',
      '{"hostname":"c@spec","type":"task-sent"}',
      `{"type":"worker-heartbeat","hostname":"huge@spec","x":"${'x'.repeat(2 ** 20)}"}`,
      beat,
    ]) {
      say(text)
    }
    expect(names()).toEqual(['b@spec'])
  })

  it.each(['assertExchange', 'assertQueue', 'bindQueue', 'consume'])(
    'says so when the broker refuses %s, and leaves the connection alone',
    async (refuses) => {
      epoch.refuses = refuses
      await up()
      expect(log.of('WARNING')).toEqual(['Gossip is off until the next connection: refused'])
      expect(clock.pending).toBe(0)
    },
  )

  it('that breaks forgets the members, and takes them in again with the next connection', async () => {
    await up()
    say(beat)
    epoch.fail(new Error('broken'))
    expect(log.of('WARNING')).toEqual(['Gossip is off until the next connection: broken'])
    expect(names()).toEqual([])
    await up()
    say(beat)
    expect(names()).toEqual(['b@spec'])
    epoch.deliver(null)
    expect(log.of('WARNING')).toHaveLength(2)
    expect([names(), clock.pending]).toEqual([[], 0])
  })
})
