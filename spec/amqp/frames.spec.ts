import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { ChannelModel } from 'amqplib'
import type { Epoch } from '../../lib/amqp/epoch.js'
import { readHeadersOf } from '../../lib/amqp/frames.js'
import { hear } from '../../lib/amqp/nodes/hear.js'
import type { AmqpProperties } from '../../lib/protocol/amqp.js'
import { Client } from '../support/client.js'
import { type ConnectionUnderTest, connectionTo } from '../support/epoch.js'
import { MemoryLog } from '../support/memoryLog.js'
import { RawClient } from '../support/rawClient.js'
import { int32, jsonProperties, nested, raw, rawProperties, short, uint8, uint64 } from '../support/rawTable.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

describe('headers of messages', () => {
  let client: Client
  let raws: RawClient
  let under: ConnectionUnderTest
  let queue: string
  let heard: Array<AmqpProperties & { body: string }>
  let dropped: string[]

  beforeEach(async () => {
    heard = []
    dropped = []
    client = await Client.open(brokerUrl())
    raws = await RawClient.open(brokerUrl())
    queue = await client.queue()
    under = await connectionTo(brokerUrl(), new MemoryLog())
    await waitFor(() => under.epochs.length === 1, { timeoutMs: 10_000, what: 'the connection' })
    const channel = await (under.epochs[0] as Epoch).channel()
    await hear(channel, queue, {
      onMessage: (content, properties) => heard.push({ ...properties, body: content.toString() }),
      onUnreadable: ({ reason }) => dropped.push(reason),
    })
  })

  afterEach(async () => {
    await under.connection.stop()
    await raws.close()
    await client.close()
  })

  it('have the types that Python sends and amqplib knows nothing of', async () => {
    const properties = jsonProperties({ sent_ms: raw('L', uint64(1_790_000_000_000n)), n: int32(1) })
    raws.publish({ routingKey: queue, properties, body: Buffer.from('body') })
    await waitFor(() => heard.length === 1, { timeoutMs: 5000, what: 'the message' })
    expect(heard[0]).toMatchObject({
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      headers: { sent_ms: 1_790_000_000_000, n: 1 },
      body: 'body',
    })
  })

  it('cost their message and not the connection, when they are nested too deep', async () => {
    const body = Buffer.alloc(300_000, 'x')
    for (const type of ['A', 'F'] as const) {
      raws.publish({ routingKey: queue, properties: jsonProperties({ deep: nested(type, 9000) }), body })
    }
    raws.publish({ routingKey: queue, properties: jsonProperties({}), body: Buffer.from('next') })
    await waitFor(() => heard.length === 1, { timeoutMs: 5000, what: 'the message' })
    expect(heard[0]?.body).toBe('next')
    expect(dropped).toEqual(['too-deep', 'too-deep'])
    expect(under.lost).toEqual([])
  })

  it('come with every property, in any combination', async () => {
    const all = {
      contentType: short('text/plain'),
      deliveryMode: uint8(1),
      priority: uint8(7),
      correlationId: short('c'),
      replyTo: short('r'),
      expiration: short('60000'),
      messageId: short('m'),
      timestamp: uint64(1_700_000_000n),
      type: short('t'),
      userId: short('guest'),
      appId: short('a'),
      clusterId: short('x'),
    }
    raws.publish({ routingKey: queue, properties: rawProperties(all), body: Buffer.alloc(0) })
    raws.publish({ routingKey: queue, properties: {}, body: Buffer.alloc(0) })
    await waitFor(() => heard.length === 2, { timeoutMs: 5000, what: 'the messages' })
    expect(heard).toEqual([
      {
        contentType: 'text/plain',
        deliveryMode: 1,
        priority: 7,
        correlationId: 'c',
        replyTo: 'r',
        expiration: '60000',
        messageId: 'm',
        timestamp: 1_700_000_000,
        type: 't',
        userId: 'guest',
        appId: 'a',
        body: '',
      },
      { body: '' },
    ])
  })

  it('are not left to another version of amqplib without a word', () => {
    const model = Object.assign(new EventEmitter(), { connection: { rest: [] } }) as unknown as ChannelModel
    expect(() => readHeadersOf(model)).toThrow('this version of amqplib')
  })
})
