import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { connect } from 'amqplib'
import { headersForAll } from '../../lib/amqp/headers.js'
import { Client } from '../support/client.js'
import { PYTHON } from '../support/peers.js'
import { runProgram } from '../support/program.js'
import { brokerUrl } from '../support/services.js'

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
})
