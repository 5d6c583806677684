import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { connect } from 'amqplib'
import type { Epoch } from '../../lib/amqp/epoch.js'
import { headersForAll } from '../../lib/amqp/headers.js'
import { hear } from '../../lib/amqp/nodes/hear.js'
import type { AmqpTable } from '../../lib/protocol/amqp.js'
import { Client } from '../support/client.js'
import { connectionTo } from '../support/epoch.js'
import { MemoryLog } from '../support/memoryLog.js'
import { PYTHON } from '../support/peers.js'
import { runProgram } from '../support/program.js'
import { RawClient } from '../support/rawClient.js'
import {
  double,
  int32,
  jsonProperties,
  list,
  long,
  nothing,
  raw,
  table,
  text,
  uint8,
  uint32,
  uint64,
} from '../support/rawTable.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

const READ = `
import json, sys, kombu
with kombu.Connection(sys.argv[1]) as connection:
    message = connection.default_channel.basic_get(sys.argv[2], no_ack=True)
    print(json.dumps(message.headers))
`

const VALUES = {
  zero: 0,
  byte: 127,
  unsigned: 128,
  short: 32_767,
  int: 32_768,
  large: 2_147_483_648,
  safe: Number.MAX_SAFE_INTEGER,
  negative: -1,
  negativeShort: -129,
  negativeLarge: -2_147_483_649,
  fraction: 1.5,
  huge: 1e300,
  text: 'text',
  flag: true,
  nothing: null,
  limits: [300, 200, null],
  nested: { deep: [{ clock: 4711 }] },
}

describe('headers', () => {
  let client: Client
  let queue: string

  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
  })

  afterAll(() => client.close())

  it('are read by Python as they are meant, whatever the size of their integers', async () => {
    const connection = await connect(brokerUrl())
    const channel = await connection.createConfirmChannel()
    channel.sendToQueue(queue, Buffer.from('{}'), { contentType: 'application/json', headers: headersForAll(VALUES) })
    await channel.waitForConfirms()
    await connection.close()
    const python = runProgram(PYTHON, ['-c', READ, brokerUrl(), queue])
    expect((await python.exited).code).toBe(0)
    expect(JSON.parse(python.stdout)).toEqual(VALUES)
  })

  it('keep the types that amqplib has named', async () => {
    const at = { '!': 'timestamp', value: 1_700_000_000 }
    expect(headersForAll({ at, bytes: Buffer.from('x') })).toEqual({ at, bytes: Buffer.from('x') })
  })

  it('go out as they came in, whatever they are', async () => {
    const raws = await RawClient.open(brokerUrl())
    const fields = {
      ...Object.fromEntries(['b', 'B', 't'].map((type) => [type, raw(type, uint8(1))])),
      l: raw('l', uint64(2n ** 60n + 1n)),
      L: raw('L', uint64(1_790_000_000_000n)),
      double: raw('d', double(2_251_799_813_685_248.5)),
      decimal: raw('D', uint8(2), uint32(-150)),
      date: raw('T', uint64(1_700_000_000n)),
      noDate: raw('T', uint64(-1n)),
      bytes: long('x', Buffer.from([0, 255])),
      notText: text(Buffer.from([0x61, 0xff])),
      exclamation: table({ '!': nothing }),
      another: table({ '!': text('timestamp'), value: text('x') }),
      third: table({ '!': text('decimal'), value: nothing }),
      list: list(table({ '!': text('long'), value: text('x') }), nothing),
      ['__proto__']: table({ x: int32(1) }),
    }
    raws.publish({ routingKey: queue, properties: jsonProperties(fields), body: Buffer.from('{}') })
    await raws.settled()
    await raws.close()
    const { connection, epochs } = await connectionTo(brokerUrl(), new MemoryLog())
    await waitFor(() => epochs.length === 1, { what: 'the connection' })
    const channel = await (epochs[0] as Epoch).confirmChannel()
    const heard: AmqpTable[] = []
    await hear(epochs[0] as Epoch, channel, queue, {
      onMessage: (content, { headers = {} }) => {
        heard.push(headers)
        if (heard.length === 1) channel.sendToQueue(queue, content, { headers: headersForAll(headers) })
      },
      onUnreadable: (error) => {
        throw error
      },
    })
    await waitFor(() => heard.length === 2, { what: 'both messages' })
    await connection.stop()
    expect(heard[1]).toEqual(heard[0])
    expect(Object.entries(heard[1] ?? {})).toHaveLength(Object.keys(fields).length)
    expect(heard[0]?.decimal).toEqual({ '!': 'decimal', value: { places: 2, digits: -150 } })
  })
})
