import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Channel } from 'amqplib'
import type { Epoch } from '../../../lib/amqp/epoch.js'
import type { ConsumedQueue } from '../../../lib/amqp/queueKind.js'
import { declareQueue } from '../../../lib/amqp/topology.js'
import { Window } from '../../../lib/amqp/window/window.js'
import type { Delivery } from '../../../lib/ports.js'
import { loadSettings } from '../../../lib/settings/load.js'
import { queueNamed } from '../../../lib/settings/queues.js'
import { Client } from '../../support/client.js'
import { consumedQueue } from '../../support/consumedQueue.js'
import { type ConnectionUnderTest, connectionTo } from '../../support/epoch.js'
import { MemoryLog } from '../../support/memoryLog.js'
import { taskMessage } from '../../support/message.js'
import { brokerUrl } from '../../support/services.js'
import { waitFor } from '../../support/waitFor.js'

describe('the window', () => {
  let client: Client
  let queue: string
  let under: ConnectionUnderTest
  let log: MemoryLog
  let deliveries: Delivery[]
  let lost: string[]
  let refused: string[]

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    log = new MemoryLog()
    deliveries = []
    lost = []
    refused = []
    under = await connectionTo(brokerUrl(), log)
    await waitFor(() => under.epochs.length === 1, { what: 'the connection' })
  })

  afterEach(async () => {
    await under.connection.stop()
    await client.close()
  })

  const epoch = (): Epoch => under.epochs[0] as Epoch

  function open(prefetch = 1, facts: Partial<ConsumedQueue> = {}): Window {
    let sequence = 0
    const { settings } = loadSettings({ config: {}, env: {}, flags: {} })
    return new Window({
      epoch: epoch(),
      prefetch,
      kinds: new Map([[queue, consumedQueue(facts)]]),
      log,
      nextSequence: () => ++sequence,
      onDelivery: (delivery) => deliveries.push(delivery),
      onLost: (name) => lost.push(name),
      onRefused: (name, _error, wasConsumed) => refused.push(`${name} ${wasConsumed}`),
      declare: async (name) => {
        await declareQueue(epoch(), queueNamed(name, settings), log)
      },
    })
  }

  /** The channels that are opened from now on. */
  function spied(): Channel[] {
    const channels: Channel[] = []
    const lastingChannel = epoch().lastingChannel.bind(epoch())
    epoch().lastingChannel = async (onError) => {
      const channel = await lastingChannel(onError)
      channels.push(channel)
      return channel
    }
    return channels
  }

  const fill = (count: number): Promise<void> =>
    client.publish(
      queue,
      Array.from({ length: count }, (_, n) => taskMessage('t', { args: [n] })),
    )

  const arrived = (count: number): Promise<void> =>
    waitFor(() => deliveries.length === count, { what: `${count} deliveries` })

  it('holds as many messages as its capacity, and takes the next one when one is settled', async () => {
    await fill(10)
    const window = open()
    window.resize(new Map([[queue, 3]]))
    await arrived(3)
    expect(await client.consumers(queue)).toBe(3)
    expect(await client.depth(queue)).toBe(7)
    deliveries[0]?.ack()
    await arrived(4)
    expect(deliveries.map(({ content }) => (JSON.parse(content.toString()) as [[number]])[0][0])).toEqual([0, 1, 2, 3])
  })

  it('hands a single active queue over when its channel closes, at once and in order', async () => {
    queue = await client.queue({ 'x-single-active-consumer': true })
    await fill(8)
    const window = open(1, { fixed: 4, singleActive: true })
    window.resize(new Map([[queue, 4]]))
    await arrived(4)
    await window.close()
    expect(await client.consumers(queue)).toBe(1)
    deliveries[1]?.giveBack()
    deliveries[0]?.ack()
    // The one that came for the one that was acknowledged; those that were given back don't come round again.
    await arrived(5)
    deliveries[4]?.giveBack()
    deliveries[2]?.ack()
    await arrived(6)
    expect(await client.depth(queue)).toBe(2)
    await under.connection.stop()
    await waitFor(async () => (await client.depth(queue)) === 6, { what: 'six messages to be back' })
    expect((await client.take(queue)).map((content) => JSON.parse(content.toString())[0][0])).toEqual([
      1, 3, 4, 5, 6, 7,
    ])
  })

  it('has sent every acknowledgement by the time that it is closed', async () => {
    await fill(3)
    const window = open()
    window.resize(new Map([[queue, 3]]))
    await arrived(3)
    window.resize(new Map())
    for (const delivery of deliveries) delivery.ack()
    await window.close()
    await under.connection.stop()
    expect(await client.depth(queue)).toBe(0)
  })

  it('gives each consumer the prefetch of the multiplier', async () => {
    await fill(10)
    const window = open(4)
    window.resize(new Map([[queue, 8]]))
    await arrived(8)
    expect(await client.consumers(queue)).toBe(2)
  })

  it('shrinks by the consumers that are idle, at once', async () => {
    const window = open()
    window.resize(new Map([[queue, 4]]))
    await window.settled()
    expect(await client.consumers(queue)).toBe(4)
    window.resize(new Map([[queue, 1]]))
    await window.settled()
    expect(await client.consumers(queue)).toBe(1)
  })

  it('shrinks by a busy consumer when it is settled, without taking another message', async () => {
    await fill(10)
    const window = open()
    window.resize(new Map([[queue, 3]]))
    await arrived(3)
    window.resize(new Map([[queue, 1]]))
    await window.settled()
    deliveries[0]?.ack()
    deliveries[1]?.ack()
    await waitFor(async () => (await client.consumers(queue)) === 1, {
      what: 'one consumer to be left',
    })
    expect(deliveries).toHaveLength(3)
    deliveries[2]?.ack()
    await arrived(4)
  })

  it('grows by one large consumer when nobody else consumes, and exchanges it later, for as many messages as before', async () => {
    await fill(30)
    const window = open()
    window.resize(new Map([[queue, 2]]))
    await arrived(2)
    window.resize(new Map([[queue, 20]]), true)
    await arrived(20)
    expect(await client.consumers(queue)).toBe(3)
    window.splitLarge()
    await window.settled()
    // Those of the consumer that is cancelled are still unsettled.
    expect(await client.consumers(queue)).toBe(20)
    for (const delivery of deliveries.splice(0)) delivery.ack()
    await waitFor(async () => (await client.depth(queue)) === 0, { what: 'the queue to be empty' })
    for (const delivery of deliveries.splice(0)) delivery.ack()
    await fill(30)
    await arrived(20)
    expect(await client.depth(queue)).toBe(10)
  })

  it('grows by large consumers to more messages than one prefetch can say', async () => {
    await fill(10)
    const window = open()
    window.resize(new Map([[queue, 2]]))
    await arrived(2)
    window.resize(new Map([[queue, 100_000]]), true)
    await arrived(10)
    await window.settled()
    expect(epoch().ended.aborted).toBe(false)
    expect(await client.consumers(queue)).toBe(4)
  })

  it('keeps a fixed consumer whatever its capacity', async () => {
    await fill(10)
    const window = open(1, { fixed: 5 })
    window.resize(new Map([[queue, 2]]))
    await arrived(5)
    window.resize(new Map([[queue, 9]]))
    await window.settled()
    expect(await client.consumers(queue)).toBe(1)
    expect(deliveries).toHaveLength(5)
  })

  it('subscribes again when the broker cancels its consumers because the queue was deleted', async () => {
    const window = open()
    window.resize(new Map([[queue, 2]]))
    await window.settled()
    await client.deleteQueue(queue)
    await waitFor(
      () => log.of('WARNING').includes(`The broker cancelled the consumers of ${queue}. Subscribing again...`),
      {
        what: 'the cancel to be told',
      },
    )
    await waitFor(async () => window.count(queue) === 2 && (await window.settled()) === undefined, {
      what: 'the consumers to be back',
    })
    await fill(1)
    await arrived(1)
    expect(epoch().ended.aborted).toBe(false)
  })

  it('loses what a queue held when the broker closes its channel, leaves the others alone, and a late ack is a logged no-op', async () => {
    const other = await client.queue()
    const channels = spied()
    await fill(2)
    const window = open()
    window.resize(new Map([[queue, 2]]))
    await arrived(2)
    await client.publish(other, [taskMessage('t')])
    window.resize(both(2, 1))
    await arrived(3)
    // What RabbitMQ also does to a channel whose delivery has passed consumer_timeout.
    channels[0]?.ack({ fields: { deliveryTag: 99 } } as never)
    await waitFor(() => refused.length === 1, { what: 'the refusal' })
    expect(deliveries.map(({ live }) => live)).toEqual([false, false, true])
    expect([lost, refused]).toEqual([[queue], [`${queue} true`]])
    deliveries[0]?.ack()
    expect(log.of('WARNING').at(-1)).toMatch(/^Couldn't ack 1: its channel is gone/)
    expect([await client.depth(queue), window.count(queue)]).toEqual([2, 0])
    deliveries[2]?.ack()
    window.resize(both(2, 1))
    await arrived(5)
    expect(deliveries.slice(3).map(({ redelivered }) => redelivered)).toEqual([true, true])
    expect(epoch().ended.aborted).toBe(false)
    await window.close()
    await under.connection.stop()
    expect(await client.depth(other)).toBe(0)

    function both(ofQueue: number, ofOther: number): Map<string, number> {
      return new Map([
        [queue, ofQueue],
        [other, ofOther],
      ])
    }
  })

  // RabbitMQ 4.3 does so at its consumer_timeout, now and then.
  it('keeps its connection when the broker delivers to a consumer that it has cancelled', async () => {
    const channels = spied()
    await fill(1)
    const window = open()
    window.resize(new Map([[queue, 1]]))
    await arrived(1)
    const consumerTag = 'celeriac.1'
    channels[0]?.emit('cancel', { consumerTag })
    channels[0]?.emit('delivery', { fields: { consumerTag, deliveryTag: 2 }, properties: {}, content: Buffer.of() })
    await arrived(2)
    expect(deliveries.map(({ live, redelivered }) => [live, redelivered === true])).toEqual([
      [false, false],
      [true, true],
    ])
    expect(epoch().ended.aborted).toBe(false)
  })

  it('runs what it holds of a queue to its end when it finds by growing that the queue is gone', async () => {
    const channels = spied()
    await fill(2)
    const window = open()
    window.resize(new Map([[queue, 2]]))
    await arrived(2)
    const [channel] = channels
    if (!channel) throw new Error('there is no channel')
    const consume = channel.consume.bind(channel)
    channel.consume = async (...args) => {
      await client.deleteQueue(queue)
      return consume(...args)
    }
    // As if it had not come yet.
    channel.removeAllListeners('cancel')
    window.resize(new Map([[queue, 3]]))
    await waitFor(() => channels.length === 2, { what: 'another channel' })
    await window.settled()
    expect(await client.consumers(queue)).toBe(3)
    expect(deliveries.map(({ live }) => live)).toEqual([true, true])
    for (const delivery of deliveries) delivery.ack()
    await fill(1)
    await arrived(3)
    expect([lost, refused]).toEqual([[], []])
    expect(epoch().ended.aborted).toBe(false)
  })

  it('closes the channel of a queue that is consumed no more once the last of its messages is settled', async () => {
    const channels = spied()
    let closed = false
    await fill(2)
    const window = open()
    window.resize(new Map([[queue, 1]]))
    await arrived(1)
    channels[0]?.on('close', () => {
      closed = true
    })
    window.resize(new Map())
    await window.settled()
    expect(closed).toBe(false)
    deliveries[0]?.ack()
    await waitFor(() => closed, { what: 'the channel to close' })
    window.resize(new Map([[queue, 1]]))
    await arrived(2)
    expect(deliveries.map(({ redelivered }) => redelivered)).toEqual([false, false])
    expect(channels).toHaveLength(2)
  })

  it('shares its consumers out over queues as it is told', async () => {
    const other = await client.queue()
    const window = open()
    window.resize(
      new Map([
        [queue, 3],
        [other, 1],
      ]),
    )
    await window.settled()
    expect([await client.consumers(queue), await client.consumers(other)]).toEqual([3, 1])
    window.resize(
      new Map([
        [queue, 1],
        [other, 3],
      ]),
    )
    await window.settled()
    expect([await client.consumers(queue), await client.consumers(other)]).toEqual([1, 3])
    await window.close()
    expect([await client.consumers(queue), await client.consumers(other)]).toEqual([0, 0])
  })
})
