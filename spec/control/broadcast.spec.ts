import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { AmqpSession } from '../../lib/amqp/amqpSession.js'
import type { Epoch } from '../../lib/amqp/epoch.js'
import { connectionOptions } from '../../lib/amqp/options.js'
import { withEpoch } from '../../lib/amqp/session.js'
import { systemClock } from '../../lib/clock.js'
import { type ControlReply, callWorkers, tellWorkers } from '../../lib/control/broadcast.js'
import type { ControlCall } from '../../lib/protocol/control.js'
import { LamportClock } from '../../lib/protocol/lamport.js'
import { loadSettings } from '../../lib/settings/load.js'
import { type ConnectionUnderTest, connectionTo } from '../support/epoch.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'
import { ownBroker } from '../support/ownBroker.js'
import { waitFor } from '../support/waitFor.js'

const brokerUrl = ownBroker()

interface Heard {
  readonly body: Record<string, unknown>
  readonly headers: Record<string, unknown>
}

describe('a broadcast to the workers', () => {
  let log: MemoryLog
  let lamport: LamportClock
  let link: ConnectionUnderTest
  let epoch: Epoch
  let heard: Heard[]

  beforeEach(async () => {
    log = new MemoryLog()
    lamport = new LamportClock()
    heard = []
    link = await connectionTo(brokerUrl(), log)
    await waitFor(() => link.epochs.length > 0, { what: 'the connection' })
    epoch = link.epochs[0] as Epoch
  })

  afterEach(() => link.connection.stop())

  /** A worker that keeps what it hears and sends these bodies in reply, under the given headers. */
  async function worker(bodies: readonly string[], headers: Record<string, unknown> = {}): Promise<void> {
    const channel = await epoch.channel()
    await channel.assertExchange('celery.pidbox', 'fanout', { durable: false })
    const { queue } = await channel.assertQueue('', { exclusive: true })
    await channel.bindQueue(queue, 'celery.pidbox', '')
    await channel.consume(
      queue,
      (message) => {
        if (!message) return
        const body = JSON.parse(message.content.toString())
        heard.push({ body, headers: { ...message.properties.headers } })
        if (!body.reply_to) return
        for (const text of bodies) {
          channel.publish(body.reply_to.exchange, body.reply_to.routing_key, Buffer.from(text), {
            contentType: 'application/json',
            headers: { ticket: body.ticket, clock: 41, ...headers },
          })
        }
      },
      { noAck: true },
    )
  }

  const call = (
    what: Partial<ControlCall> = {},
    options: { timeout?: number; clock?: FakeClock; onReply?: (reply: ControlReply) => void } = {},
  ): Promise<ControlReply[]> =>
    callWorkers(
      new AmqpSession(epoch, log),
      { method: 'ping', ...what },
      { timeout: 0.3, clock: systemClock, lamport, log, ...options },
    )

  /** However slow the machine is, the time of quiet begins with a reply. */
  const quietAfterReply = (clock: FakeClock) => ({ clock, onReply: () => void setImmediate(() => clock.advance(300)) })

  it('has the form that Celery gives it, and a reply queue that goes with it', async () => {
    await worker(['{"a@h": {"ok": "pong"}}'])
    const clock = new FakeClock()
    const replies = await call({ arguments: { x: 1 }, pattern: 'w*', matcher: 'glob' }, quietAfterReply(clock))
    expect(replies).toEqual([{ nodename: 'a@h', value: { ok: 'pong' } }])
    expect(heard).toHaveLength(1)
    const [{ body, headers }] = heard as [Heard]
    const { routing_key: oid } = body.reply_to as { routing_key: string }
    expect(body).toEqual({
      method: 'ping',
      arguments: { x: 1 },
      destination: null,
      pattern: 'w*',
      matcher: 'glob',
      ticket: expect.stringMatching(/^[0-9a-f-]{36}$/),
      reply_to: { exchange: 'reply.celery.pidbox', routing_key: oid },
    })
    expect(headers.clock).toBe(1)
    expect(headers.expires).toBeCloseTo(clock.now() / 1000, 6)
    expect(lamport.value).toBe(42)
    await expect(epoch.scratch((channel) => channel.checkQueue(`${oid}.reply.celery.pidbox`))).rejects.toThrow(
      /NOT_FOUND/,
    )
  })

  it('is over as soon as all of its destination have replied', async () => {
    await worker(['{"a@h": 1}', '{"b@h": null}'])
    const told: ControlReply[] = []
    const clock = new FakeClock()
    const replies = await call({ destination: ['a@h', 'b@h'] }, { clock, onReply: (reply) => told.push(reply) })
    expect(replies).toEqual([
      { nodename: 'a@h', value: 1 },
      { nodename: 'b@h', value: null },
    ])
    expect(told).toEqual(replies)
  })

  it('has no replies when nobody is there', async () => {
    expect(await call({}, { timeout: 0.1 })).toEqual([])
  })

  it('leaves out replies to others and those that cannot be read', async () => {
    await worker(['{"a@h": 1}'], { ticket: 'of another' })
    await worker(['no json', '{"b@h": 2}'])
    expect(await call({}, quietAfterReply(new FakeClock()))).toEqual([{ nodename: 'b@h', value: 2 }])
    expect(log.of('WARNING')).toEqual([expect.stringContaining("A reply of a worker can't be read")])
  })

  it('without a wish for replies has no ticket', async () => {
    await worker([])
    await tellWorkers(new AmqpSession(epoch, log), { method: 'heartbeat' }, { timeout: 0, clock: systemClock, lamport })
    await waitFor(() => heard.length > 0, { what: 'the broadcast' })
    expect(heard[0]?.body).toEqual({
      method: 'heartbeat',
      arguments: {},
      destination: null,
      pattern: null,
      matcher: null,
    })
    expect(heard[0]?.headers.expires).toBe(0)
  })

  it('uses exchanges that are there with other arguments', async () => {
    const exchange = 'celery.pidbox'
    await epoch.scratch(async (channel) => {
      await channel.deleteExchange(exchange)
      await channel.assertExchange(exchange, 'fanout', { durable: true })
    })
    expect(await call({}, { timeout: 0.1 })).toEqual([])
    await epoch.scratch((channel) => channel.deleteExchange(exchange))
    expect(epoch.ended.aborted).toBe(false)
  })
})

describe('a connection for one piece of work', () => {
  const options = (url: string) => {
    const { settings } = loadSettings({ config: { broker_url: url }, env: {}, flags: {} })
    return { ...connectionOptions('producer', settings, systemClock, new MemoryLog()), maxRetries: 1 }
  }

  it('is closed when the work is done, whether well or not', async () => {
    let epoch: Epoch | undefined
    const use = async (given: Epoch): Promise<string> => {
      epoch = given
      return 'done'
    }
    expect(await withEpoch(options(brokerUrl()), use)).toBe('done')
    expect(epoch?.ended.aborted).toBe(true)
    await expect(withEpoch(options(brokerUrl()), () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  })

  it('fails when it is lost meanwhile', async () => {
    const lose = (epoch: Epoch): Promise<never> => {
      epoch.end(new Error('cut'))
      return new Promise(() => undefined)
    }
    await expect(withEpoch(options(brokerUrl()), lose)).rejects.toThrow('the connection to the broker was lost: cut')
  })

  it('fails when there is no broker', async () => {
    await expect(withEpoch(options('amqp://127.0.0.1:1//'), async () => 'done')).rejects.toThrow(
      "the broker can't be reached: connect ECONNREFUSED 127.0.0.1:1",
    )
  })
})
