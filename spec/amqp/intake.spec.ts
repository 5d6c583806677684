import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { AmqpSession } from '../../lib/amqp/amqpSession.js'
import { DelayQueues } from '../../lib/amqp/delayed.js'
import { AmqpIntake } from '../../lib/amqp/intake.js'
import { loadSettings } from '../../lib/settings/load.js'
import { queueNamed } from '../../lib/settings/queues.js'
import { Client } from '../support/client.js'
import { type ConnectionUnderTest, connectionTo } from '../support/epoch.js'
import { intakeOptions } from '../support/intakeOptions.js'
import { MemoryLog } from '../support/memoryLog.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

let client: Client
let under: ConnectionUnderTest
let log: MemoryLog

beforeEach(async () => {
  client = await Client.open(brokerUrl())
  log = new MemoryLog()
  under = await connectionTo(brokerUrl(), log)
  await waitFor(() => under.epochs.length === 1, { what: 'the connection' })
})

afterEach(async () => {
  await under.connection.stop()
  await client.close()
})

// A stream, so that it shows: consumed as if it were a queue, it would run each task once a slot.
it.each([1, 2, 3])(
  'a queue that is added while the others are prepared is looked at as they are (%i)',
  async (known) => {
    const { settings } = loadSettings({ config: {}, env: {}, flags: {} })
    const names = [await client.queue(), await client.queue(), await client.queue({ 'x-queue-type': 'stream' })]
    const refused: string[] = []
    const intake = new AmqpIntake(
      intakeOptions({ log, onRefused: (name) => refused.push(name) }),
      new DelayQueues('classic', log),
    )
    const [epoch] = under.epochs
    if (!epoch) throw new Error('there is no connection')
    let looks = 0
    const queues = names.map((name) => queueNamed(name, settings))
    await intake.open(new AmqpSession(epoch, log), () => (++looks <= known ? queues.slice(0, 2) : queues))
    expect(refused).toEqual(names.slice(2))
  },
)
