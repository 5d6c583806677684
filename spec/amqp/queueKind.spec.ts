import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Epoch } from '../../lib/amqp/epoch.js'
import { kindOf } from '../../lib/amqp/queueKind.js'
import { declareQueue } from '../../lib/amqp/topology.js'
import { loadSettings } from '../../lib/settings/load.js'
import { type QueueSpec, queueNamed } from '../../lib/settings/queues.js'
import { Client } from '../support/client.js'
import { type ConnectionUnderTest, connectionTo } from '../support/epoch.js'
import { MemoryLog } from '../support/memoryLog.js'
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.js'
import { brokerUrl } from '../support/services.js'
import { isRabbitmq } from '../support/versions.js'
import { waitFor } from '../support/waitFor.js'

let client: Client
let under: ConnectionUnderTest
let log: MemoryLog

async function open(url: string): Promise<void> {
  client = await Client.open(url)
  log = new MemoryLog()
  under = await connectionTo(url, log)
  await waitFor(() => under.epochs.length === 1, { what: 'the connection' })
}

async function close(): Promise<void> {
  await under.connection.stop()
  await client.close()
}

function epoch(): Epoch {
  const [first] = under.epochs
  if (!first) throw new Error('no epoch')
  return first
}

/** As an app has it that knows nothing of the queue but its name. */
function untold(name: string): QueueSpec {
  return queueNamed(name, loadSettings({ config: {}, env: {}, flags: {} }).settings)
}

const QUORUM = { type: 'quorum', singleActive: false }
const CLASSIC = { type: 'classic', singleActive: false }

describe('the kind of a queue that the app knows nothing of', () => {
  beforeEach(() => open(brokerUrl()))
  afterEach(close)

  // The broker names the first argument that differs, by the alphabet: most come before x-queue-type.
  it.each([
    { 'x-dead-letter-exchange': "it's" },
    { 'x-max-length': 70_000, 'x-overflow': 'reject-publish' },
    { 'x-message-ttl': 3_600_000, 'x-expires': 7_200_000 },
    {
      'x-dead-letter-exchange': 'd',
      'x-dead-letter-routing-key': 'but current is none',
      'x-max-length-bytes': 2 ** 40,
    },
  ])('is known whatever else it has: %j', async (more) => {
    for (const type of ['classic', 'quorum']) {
      for (const singleActive of [false, true]) {
        const queue = await client.queue({
          'x-queue-type': type,
          ...more,
          ...(singleActive ? { 'x-single-active-consumer': true } : {}),
        })
        expect(await declareQueue(epoch(), untold(queue), log)).toEqual({ type, singleActive })
      }
    }
    expect(log.of('WARNING').join('\n')).not.toContain('Could not determine')
  })

  it('is known of a quorum queue with what only those have', async () => {
    const only = { 'x-delivery-limit': 50, 'x-quorum-initial-group-size': 1, 'x-dead-letter-strategy': 'at-most-once' }
    const queue = await client.queue({ 'x-queue-type': 'quorum', ...only })
    expect(await declareQueue(epoch(), untold(queue), log)).toEqual(QUORUM)
  })

  it('is known of a queue that is less than the app believes', async () => {
    const queue = await client.queue()
    const task_queues = [
      { name: queue, queue_arguments: { 'x-single-active-consumer': true, 'x-max-priority': 5, 'x-expires': 9e6 } },
    ]
    const { settings } = loadSettings({ config: { task_queues }, env: {}, flags: {} })
    expect(await declareQueue(epoch(), queueNamed(queue, settings), log)).toEqual(CLASSIC)
  })

  it('is found by trying where the words of a refusal are of a version to come', async () => {
    for (const type of ['classic', 'quorum']) {
      const queue = await client.queue({ 'x-queue-type': type, 'x-single-active-consumer': true })
      const words = 'PRECONDITION_FAILED - it differs'
      expect(await kindOf(epoch(), untold(queue), words, { log, mustKnow: true })).toEqual({ type, singleActive: true })
    }
    expect(log.of('WARNING')).toEqual([])
  })

  it('is taken for the one that needs most care, with a warning, where it cannot be found out', async () => {
    const queue = await client.queue({ 'x-max-priority': 5 })
    const words = 'PRECONDITION_FAILED - it differs'
    const kind = await kindOf(epoch(), untold(queue), words, { log, mustKnow: true })
    expect(kind).toEqual({ type: 'quorum', singleActive: true })
    expect(log.of('WARNING')).toEqual([expect.stringContaining(`Could not determine the type of queue ${queue}.`)])
  })
})

describe('the kind of a queue on a broker that makes quorum queues of all, or lets apps believe that they are classic', () => {
  let broker: Rabbitmq | undefined

  afterAll(async () => {
    await broker?.dispose()
  })

  describe.each([
    'default_queue_type = quorum',
    'quorum_queue.property_equivalence.relaxed_checks_on_redeclaration = true',
  ])('%s', (conf) => {
    let hasSetting: boolean

    beforeAll(async () => {
      hasSetting = await isRabbitmq(4)
      if (hasSetting) broker = await startRabbitmq({ conf })
    })

    it('is known by what the broker accepts', async () => {
      if (!broker) {
        await expect(startRabbitmq({ conf })).rejects.toThrow('there is no setting with that name')
        return
      }
      await open(broker.url)
      try {
        const quorum = await client.queue({ 'x-queue-type': 'quorum' })
        expect(await declareQueue(epoch(), untold(quorum), log)).toEqual(QUORUM)
        const classic = await client.queue({ 'x-queue-type': 'classic' })
        expect(await declareQueue(epoch(), untold(classic), log)).toEqual(CLASSIC)
      } finally {
        await close()
        await broker.dispose()
        broker = undefined
      }
    })
  })
})
