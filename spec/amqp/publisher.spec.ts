import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Epoch } from '../../lib/amqp/epoch.js'
import { connectionOptions } from '../../lib/amqp/options.js'
import { AmqpPublisher } from '../../lib/amqp/publisher.js'
import { systemClock } from '../../lib/clock.js'
import { BrokerError } from '../../lib/errors.js'
import type { Clock } from '../../lib/ports.js'
import type { AmqpProperties, OutgoingMessage } from '../../lib/protocol/amqp.js'
import { loadSettings } from '../../lib/settings/load.js'
import { Client } from '../support/client.js'
import { forcedClose } from '../support/forcedClose.js'
import { type Link, openLink, through } from '../support/link.js'
import { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { randomQueue } from '../support/randomName.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

describe('the publisher', () => {
  let client: Client
  let queue: string
  let link: Link
  let publisher: AmqpPublisher
  let logs: MemoryLog

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    link = await openLink(Number(new URL(brokerUrl()).port))
    const { settings } = loadSettings({ config: { broker_url: through(brokerUrl(), link.port) }, env: {}, flags: {} })
    logs = new MemoryLog()
    publisher = new AmqpPublisher(connectionOptions('producer', settings, systemClock, logs))
  })

  afterEach(async () => {
    await publisher.stop()
    await link.close()
    await client.close()
  })

  const message = (routingKey: string, exchange = '') => ({
    ...taskMessage('t', { args: ['x'] }),
    exchange,
    routingKey,
    mandatory: true,
  })

  it('resolves when the broker has the message', async () => {
    await publisher.publish(message(queue))
    expect(await client.depth(queue)).toBe(1)
  })

  it('fails for a message that no queue takes, and only for that one', async () => {
    const [lost, kept] = await Promise.allSettled([
      publisher.publish(message(randomQueue())),
      publisher.publish(message(queue)),
    ])
    expect(lost).toMatchObject({ status: 'rejected', reason: expect.any(BrokerError) })
    expect(kept.status).toBe('fulfilled')
  })

  it('fails for an exchange that is not there, and goes on', async () => {
    await expect(publisher.publish(message(queue, 'no-such-exchange'))).rejects.toThrow(
      'there is no exchange no-such-exchange',
    )
    await publisher.publish(message(queue))
    expect(await client.depth(queue)).toBe(1)
  })

  it('fails for a declaration that the broker refuses by ending the connection, and goes on', async () => {
    const declare = (epoch: Epoch): Promise<unknown> =>
      epoch.scratch((channel) => channel.assertExchange(queue, 'nonsense'))
    await expect(publisher.onEpoch(declare)).rejects.toThrow("unknown exchange type 'nonsense'")
    await publisher.publish(message(queue))
    expect(await client.depth(queue)).toBe(1)
  })

  it('makes a declaration again when another has cost it the connection', async () => {
    let tries = 0
    const declare = async (epoch: Epoch): Promise<string> => {
      if (++tries > 1) return 'declared'
      epoch.end(Object.assign(new Error('COMMAND_INVALID'), { code: 503 }))
      throw new Error('Channel closed')
    }
    expect(await publisher.onEpoch(declare)).toBe('declared')
  })

  describe('given a message that can never be sent', () => {
    const odd = (properties: Partial<AmqpProperties>, to: Partial<OutgoingMessage> = {}): OutgoingMessage => {
      const fine = message(queue)
      return { ...fine, ...to, properties: { ...fine.properties, ...properties } }
    }
    const headers = (value: unknown): Partial<AmqpProperties> => ({ headers: { task: 't', id: 'x', value } })

    it.each<[string, () => OutgoingMessage, string]>([
      ['headers beyond 64 KiB', () => odd(headers('x'.repeat(70_000))), "the message can't be sent"],
      ['an id beyond 255 bytes', () => odd({ correlationId: 'x'.repeat(256) }), "the message can't be sent"],
      ['a routing key beyond 255 bytes', () => odd({}, { routingKey: 'x'.repeat(256) }), "the message can't be sent"],
      ['a header that holds itself', () => odd(headers(circle())), "the message can't be sent"],
      ['a function for a header', () => odd(headers(() => 1)), "the message can't be sent"],
      ['an expiration of 11 years', () => odd({ expiration: String(11 * 365 * 86_400_000) }), '406'],
      ['an expiration that is none', () => odd({ expiration: 'soon' }), '406'],
      ['the id of another user', () => odd({ userId: 'somebody' }), '406'],
      ['an exchange that nobody may publish to', () => odd({}, { exchange: 'amq.rabbitmq.trace' }), '403'],
    ])('fails that one, and goes on: %s', async (_, make, reason) => {
      const before = Array.from({ length: 20 }, () => publisher.publish(message(queue)))
      const bad = publisher.publish(make())
      const after = Array.from({ length: 20 }, () => publisher.publish(message(queue)))
      await expect(bad).rejects.toMatchObject({ message: expect.stringContaining(reason), retriable: false })
      await Promise.all([...before, ...after, publisher.publish(message(queue))])
      expect(await client.depth(queue)).toBeGreaterThanOrEqual(41)
      expect(logs.of('WARNING')).toEqual([])
      expect(publisher.state).toMatchObject({ state: 'closed', opens: 0 })
    })

    it('finds each of many among many others, on one connection', async () => {
      const epoch = await publisher.epoch()
      const outcomes = await Promise.allSettled(
        Array.from({ length: 200 }, (_, n) =>
          publisher.publish(n % 20 === 7 ? odd({ expiration: 'soon' }) : message(queue)),
        ),
      )
      const failed = outcomes.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []))
      expect(failed).toEqual(Array.from({ length: 10 }, (_, n) => n * 20 + 7))
      expect(await publisher.epoch()).toBe(epoch)
      expect(publisher.held).toBe(0)
    })

    it('does so with large messages, whose frames are still on their way when the channel closes', async () => {
      const large = { content: Buffer.alloc(3_000_000) }
      const outcomes = await Promise.allSettled(
        Array.from({ length: 12 }, (_, n) =>
          publisher.publish(n === 2 ? odd({ expiration: 'soon' }, large) : odd({}, large)),
        ),
      )
      expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(outcomes.map((_, n) => n === 2))
    })

    it('goes on with what is retried by a lost connection meanwhile', async () => {
      await publisher.publish(message(queue))
      const pending = Array.from({ length: 50 }, (_, n) =>
        publisher.publish(n === 25 ? odd({ expiration: 'soon' }) : message(queue)),
      )
      const cutting = setInterval(() => link.cut(), 40)
      setTimeout(() => clearInterval(cutting), 300)
      const outcomes = await Promise.allSettled(pending)
      // They may settle before: the next case has a link of the same name.
      clearInterval(cutting)
      expect(outcomes.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []))).toEqual([25])
    })
  })

  it('tells that the broker is away and that messages wait, and connects at once when it hears that it is there', async () => {
    const { settings } = loadSettings({ config: { broker_url: through(brokerUrl(), link.port) }, env: {}, flags: {} })
    // Once it is away, pauses between two attempts never end by themselves.
    let isAway = false
    const clock: Clock = {
      ...systemClock,
      setTimer: (fn, delayMs) => (isAway ? { cancel: () => undefined } : systemClock.setTimer(fn, delayMs)),
    }
    await publisher.stop()
    const log = new MemoryLog()
    publisher = new AmqpPublisher(connectionOptions('producer', settings, clock, log))
    await publisher.publish(message(queue))
    // On a busy machine the first attempt may take longer than it is given, and another follows.
    const { opens, state } = publisher.state
    expect(state).toBe('closed')
    isAway = true
    link.refuse()
    link.cut()
    await waitFor(() => publisher.state.state === 'open', { what: 'the loss to be seen' })
    const pending = publisher.publish(message(queue))
    expect(publisher.held).toBe(1)
    await waitFor(() => log.of('ERROR').length > 0, { what: 'a vain attempt' })
    link.accept()
    const hasSent = (): boolean => {
      publisher.retryNow()
      return publisher.held === 0
    }
    await waitFor(hasSent, { what: 'the message to be sent' })
    await pending
    // However many attempts are in vain, each loss counts once.
    expect(publisher.state).toMatchObject({ state: 'closed', opens: opens + 1, lastError: expect.any(String) })
    expect(await client.depth(queue)).toBe(2)
  })

  it('sends again what was not confirmed when the connection broke', async () => {
    await publisher.publish(message(queue))
    link.stall()
    const pending = publisher.publish(message(queue))
    link.cut()
    link.resume()
    await pending
    expect(await client.depth(queue)).toBe(2)
  })

  it('takes a connection that the broker closes while it shuts down for lost, and no message for refused', async () => {
    const broker = await forcedClose(brokerUrl())
    const { settings } = loadSettings({ config: { broker_url: broker.url }, env: {}, flags: {} })
    const other = new AmqpPublisher(connectionOptions('producer', settings, systemClock, logs))
    try {
      await other.publish(message(queue))
      broker.force()
      await expect(
        other.publish(message(queue), undefined, { next: (error) => Promise.reject(error) }),
      ).rejects.toThrow('the connection to the broker was lost')
      await other.publish(message(queue))
      broker.force()
      await other.publish(message(queue))
      expect(await client.depth(queue)).toBe(5)
      expect(logs.lines.filter(({ message }) => message.includes('refused'))).toEqual([])
    } finally {
      await other.stop()
      await broker.close()
    }
  })

  it('gives up when it is told to', async () => {
    link.refuse()
    const giveUp = new AbortController()
    const pending = publisher.publish(message(queue), giveUp.signal)
    giveUp.abort()
    await expect(pending).rejects.toThrow('gave up waiting for the broker')
  })

  it('leaves nothing behind on a signal that it has not needed', async () => {
    const { signal } = new AbortController()
    await Promise.all(Array.from({ length: 20 }, () => publisher.publish(message(queue), signal)))
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('keeps the order of what it is given', async () => {
    const count = 500
    await Promise.all(
      Array.from({ length: count }, (_, n) =>
        publisher.publish({ ...taskMessage('t', { args: [n] }), exchange: '', routingKey: queue, mandatory: true }),
      ),
    )
    await waitFor(async () => (await client.depth(queue)) === count, { what: 'all messages' })
    const numbers = (await client.take(queue)).map((content) => (JSON.parse(content.toString()) as [[number]])[0][0])
    expect(numbers).toEqual(Array.from({ length: count }, (_, n) => n))
  })
})

function circle(): unknown {
  const table: Record<string, unknown> = {}
  table.self = table
  return table
}
