import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { QueueKind } from '../../lib/amqp/queueKind.js'
import { declareQueue } from '../../lib/amqp/topology.js'
import { loadSettings } from '../../lib/settings/load.js'
import { queueNamed } from '../../lib/settings/queues.js'
import { Client } from '../support/client.js'
import { type ConnectionUnderTest, connectionTo } from '../support/epoch.js'
import { MemoryLog } from '../support/memoryLog.js'
import { randomQueue } from '../support/randomName.js'
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
    await waitFor(() => under.epochs.length === 1, { what: 'the connection' })
  })

  afterEach(async () => {
    await under.connection.stop()
    await client.close()
  })

  async function declare(name: string, config: Record<string, unknown> = {}): Promise<QueueKind> {
    const { settings } = loadSettings({ config, env: {}, flags: {} })
    const epoch = under.epochs[0]
    if (!epoch) throw new Error('no epoch')
    return declareQueue(epoch, queueNamed(name, settings), log)
  }

  it('declares again what is there already, without a word', async () => {
    const queue = await client.queue()
    expect(await declare(queue)).toEqual({ type: 'classic', singleActive: false })
    expect(await declare(queue)).toEqual({ type: 'classic', singleActive: false })
    expect(log.of('WARNING')).toEqual([])
  })

  it('makes the type that the setting asks for', async () => {
    const queue = await client.queue({ 'x-queue-type': 'quorum' })
    expect(await declare(queue, { task_default_queue_type: 'quorum' })).toEqual({ type: 'quorum', singleActive: false })
    expect(log.of('WARNING')).toEqual([])
  })

  it('uses a queue with other arguments as it is, says so, and lives on', async () => {
    const queue = await client.queue({ 'x-max-priority': 5 })
    expect(await declare(queue)).toEqual({ type: 'classic', singleActive: false })
    expect(log.of('WARNING').join()).toContain(`The queue ${queue} exists with other arguments and is used as it is`)
    expect(under.epochs[0]?.ended.aborted).toBe(false)
  })

  it('says what the broker has against arguments that it does not take', async () => {
    const task_queues = [{ name: randomQueue(), queue_arguments: { 'x-max-length': 'many' } }]
    await expect(declare(task_queues[0]?.name ?? '', { task_queues })).rejects.toThrow('x-max-length')
    expect(under.epochs[0]?.ended.aborted).toBe(false)
  })

  it.each(['classic', 'quorum'])(
    'learns from the refusals that a %s queue has a single active consumer',
    async (type) => {
      const queue = await client.queue({ 'x-queue-type': type, 'x-single-active-consumer': true })
      expect(await declare(queue)).toEqual({ type, singleActive: true })
      expect(log.of('WARNING')).toHaveLength(1)
    },
  )

  it('knows what it has declared itself', async () => {
    const queue = await client.queue({ 'x-single-active-consumer': true })
    const task_queues = [{ name: queue, queue_arguments: { 'x-single-active-consumer': true } }]
    expect(await declare(queue, { task_queues })).toEqual({ type: 'classic', singleActive: true })
    expect(log.of('WARNING')).toEqual([])
  })

  it('learns from the refusal that the queue is a quorum queue', async () => {
    expect(await declare(await client.queue({ 'x-queue-type': 'quorum' }))).toEqual({
      type: 'quorum',
      singleActive: false,
    })
  })
})
