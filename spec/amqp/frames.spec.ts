import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { ChannelModel } from 'amqplib'
import type { Epoch } from '../../lib/amqp/epoch.js'
import { mendReceiving } from '../../lib/amqp/frames.js'
import { hear } from '../../lib/amqp/nodes/hear.js'
import type { AmqpProperties } from '../../lib/protocol/amqp.js'
import { Client } from '../support/client.js'
import { type ConnectionUnderTest, connectionTo } from '../support/epoch.js'
import { openLink, through } from '../support/link.js'
import { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { RawClient } from '../support/rawClient.js'
import {
  frame,
  int32,
  jsonProperties,
  nested,
  raw,
  rawProperties,
  short,
  uint8,
  uint16,
  uint32,
  uint64,
} from '../support/rawTable.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

/** Of AMQP's methods, by class and number. */
const CHANNEL_OPEN_OK = 0x0014_000b
const CHANNEL_CLOSE = 0x0014_0028
const DELIVER = 0x003c_003c

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
    await hear(under.epochs[0] as Epoch, channel, queue, {
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
    expect(() => mendReceiving(model)).toThrow('this version of amqplib')
  })
})

describe('a channel that the broker has closed', () => {
  it('may bring what was on its way, which costs nothing, until it is opened again', async () => {
    let refusedOn = 0
    let strays = 0
    const stray = (): Buffer => {
      strays++
      const delivery = [uint32(DELIVER), short('tag'), uint64(9n), uint8(0), short(''), short('key')]
      const header = [uint16(60), uint16(0), uint64(4n), rawProperties({})]
      const parts = [delivery, header, [Buffer.from('late')]]
      return Buffer.concat(parts.map((part, at) => frame(at + 1, refusedOn, Buffer.concat(part))))
    }
    const server = new URL(brokerUrl())
    // A frame of the broker's that closes or opens a channel comes alone.
    const link = await openLink(Number(server.port), undefined, (chunk) => {
      if (chunk[0] !== 1 || chunk.readUInt32BE(3) + 8 !== chunk.length) return chunk
      const id = chunk.readUInt32BE(7)
      if (id === CHANNEL_CLOSE) {
        refusedOn = chunk.readUInt16BE(1)
        return Buffer.concat([chunk, stray(), stray()])
      }
      return id === CHANNEL_OPEN_OK && chunk.readUInt16BE(1) === refusedOn ? Buffer.concat([stray(), chunk]) : chunk
    })
    const client = await Client.open(brokerUrl())
    const under = await connectionTo(through(brokerUrl(), link.port), new MemoryLog())
    try {
      const queue = await client.queue()
      await waitFor(() => under.epochs.length === 1, { what: 'the connection' })
      const [epoch] = under.epochs as [Epoch]
      const refused = await epoch.lastingChannel(() => undefined)
      await expect(refused.checkQueue('spec.nowhere')).rejects.toThrow('NOT_FOUND')
      const heard: string[] = []
      const channel = await epoch.lastingChannel(() => undefined)
      await channel.consume(queue, (message) => heard.push(String(message?.content)), { noAck: true })
      await client.publish(queue, [taskMessage('spec.any', { args: [] })])
      await waitFor(() => heard.length > 0, { what: 'the message' })
      expect(heard).toEqual([expect.stringContaining('[[],')])
      expect(strays).toBe(3)
      expect(under.lost).toEqual([])
    } finally {
      await under.connection.stop()
      await client.close()
      await link.close()
    }
  })
})
