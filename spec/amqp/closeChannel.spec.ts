import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { countUp } from '../../lib/amqp/countUp.js'
import type { Epoch } from '../../lib/amqp/epoch.js'
import { AmqpMove } from '../../lib/amqp/move.js'
import { QueueChannel } from '../../lib/amqp/window/queueChannel.js'
import { loadSettings } from '../../lib/settings/load.js'
import { queueNamed } from '../../lib/settings/queues.js'
import { Client } from '../support/client.js'
import { type ConnectionUnderTest, connectionTo } from '../support/epoch.js'
import { type Link, openLink, through } from '../support/link.js'
import { MemoryLog } from '../support/memoryLog.js'
import { randomQueue } from '../support/randomName.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

/** channel.close-ok: class 20, method 41. */
const CLOSE_OK = Buffer.from([0, 20, 0, 41])

describe('a channel whose connection is lost while it is being closed', () => {
  let client: Client
  let link: Link
  let under: ConnectionUnderTest
  let epoch: Epoch
  let log: MemoryLog
  let onClose: 'cut' | 'swallow' | 'answer'
  const { settings } = loadSettings({ config: {}, env: {}, flags: {} })

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    log = new MemoryLog()
    onClose = 'cut'
    link = await openLink(Number(new URL(brokerUrl()).port), undefined, (chunk) => {
      if (onClose === 'answer' || !chunk.includes(CLOSE_OK)) return chunk
      if (onClose === 'cut') link.cut()
      return Buffer.alloc(0)
    })
    under = await connectionTo(through(brokerUrl(), link.port), log)
    await waitFor(() => under.epochs.length === 1, { what: 'the connection' })
    epoch = under.epochs[0] as Epoch
  })

  afterEach(async () => {
    await waitFor(() => epoch.ended.aborted, { what: 'the loss of the connection' })
    await under.connection.stop()
    await link.close()
    await client.close()
  })

  async function openMove(): Promise<AmqpMove> {
    const queue = await client.queue()
    onClose = 'answer'
    return AmqpMove.open(
      epoch,
      {
        from: queueNamed(queue, settings),
        inFlight: 1,
        begin: async () => undefined,
        destinationOf: () => ({ queue, key: null }),
        onUnreadable: () => undefined,
        onMoved: () => undefined,
      },
      log,
    )
  }

  it('is closed to what was asked on it', async () => {
    expect(await epoch.scratch(async () => 'answered')).toBe('answered')
  })

  it('is not waited for long by what was asked on it, when the broker says nothing', async () => {
    onClose = 'swallow'
    expect(await epoch.scratch(async () => 'answered')).toBe('answered')
    expect(epoch.ended.aborted).toBe(false)
    link.cut()
  })

  it('is closed to who counts in a queue', async () => {
    const queue = queueNamed(randomQueue(), settings)
    expect(await countUp(epoch, { ...queue, autoDelete: true })).toBe(0)
  })

  it('is closed to who moves messages through it, and waits for that to end', async () => {
    const move = await openMove()
    onClose = 'cut'
    await move.stop()
    expect(await move.ended).toBeNull()
  })

  it('is not waited for long by who moves messages through it, when the broker says nothing', async () => {
    const move = await openMove()
    onClose = 'swallow'
    await move.stop()
    expect(await move.ended).toBeNull()
    expect(epoch.ended.aborted).toBe(false)
    link.cut()
  })

  it('is closed to the consumers of its queue', async () => {
    const channel = new QueueChannel({
      queue: await client.queue(),
      epoch,
      log,
      prefetch: 1,
      fixed: null,
      nextTag: () => randomQueue(),
      isQuorum: () => false,
      keeps: () => false,
      onMessage: () => undefined,
      onChange: () => undefined,
      onEnd: () => undefined,
    })
    await channel.make({ open: 1 })
    await channel.close('lost')
    expect(channel.fate).toBe('lost')
  })
})
