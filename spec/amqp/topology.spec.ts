import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { declareQueue } from '../../lib/amqp/topology.js'
import { loadSettings } from '../../lib/settings/load.js'
import { queueNamed } from '../../lib/settings/queues.js'
import { Client } from '../support/client.js'
import { type ConnectionUnderTest, connectionTo } from '../support/epoch.js'
import { MemoryLog } from '../support/memoryLog.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

describe('declareQueue', () => {
  let client: Client
  let under: ConnectionUnderTest
  let log: MemoryLog

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    log = new MemoryLog()
    under = await connectionTo(brokerUrl(), log)
    await waitFor(() => under.epochs.length === 1, { timeoutMs: 5_000, what: 'the connection' })
  })

  afterEach(async () => {
    await under.connection.stop()
    await client.close()
  })

  async function declare(name: string, config: Record<string, unknown> = {}): Promise<string> {
    const { settings } = loadSettings({ config, env: {}, flags: {} })
    const epoch = under.epochs[0]
    if (!epoch) throw new Error('no epoch')
    return declareQueue(epoch, queueNamed(name, settings), log)
  }

  it('declares again what is there already, without a word', async () => {
    const queue = await client.queue()
    expect(await declare(queue)).toBe('classic')
    expect(await declare(queue)).toBe('classic')
    expect(log.of('WARNING')).toEqual([])
  })

  it('makes the type that the setting asks for', async () => {
    const queue = await client.queue({ 'x-queue-type': 'quorum' })
    expect(await declare(queue, { task_default_queue_type: 'quorum' })).toBe('quorum')
    expect(log.of('WARNING')).toEqual([])
  })

  it('uses a queue with other arguments as it is, says so, and lives on', async () => {
    const queue = await client.queue({ 'x-max-priority': 5 })
    expect(await declare(queue)).toBe('classic')
    expect(log.of('WARNING').join()).toContain(`The queue ${queue} exists with other arguments and is used as it is`)
    expect(under.epochs[0]?.ended.aborted).toBe(false)
  })

  it('learns from the refusal that the queue is a quorum queue', async () => {
    expect(await declare(await client.queue({ 'x-queue-type': 'quorum' }))).toBe('quorum')
  })
})
