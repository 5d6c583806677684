import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type ChannelModel, connect } from 'amqplib'
import { AmqpBroker } from '../../../lib/amqp/broker.js'
import { type CapturedEvent, EventCapture } from '../../../lib/cli/events/capture.js'
import { systemClock } from '../../../lib/clock.js'
import { LamportClock } from '../../../lib/protocol/lamport.js'
import { loadSettings } from '../../../lib/settings/load.js'
import { MemoryLog } from '../../support/memoryLog.js'
import { type Rabbitmq, startRabbitmq } from '../../support/rabbitmq.js'
import { waitFor } from '../../support/waitFor.js'

describe('what hears events', () => {
  let broker: Rabbitmq
  let sender: ChannelModel
  let log: MemoryLog
  let lamport: LamportClock
  let events: CapturedEvent[]
  let capture: EventCapture
  let ready: number
  let lost: number

  beforeAll(async () => {
    broker = await startRabbitmq()
  })

  afterAll(() => broker.dispose())

  beforeEach(async () => {
    log = new MemoryLog()
    lamport = new LamportClock()
    events = []
    ready = 0
    lost = 0
    const { settings } = loadSettings({ config: { broker_url: broker.url }, env: {}, flags: {} })
    capture = new EventCapture({
      broker: new AmqpBroker({ settings, clock: systemClock, log: () => log }),
      clock: systemClock,
      lamport,
      log,
      read: (content) => JSON.parse(content.toString()),
      onEvent: (event) => events.push(event),
      onReady: () => ready++,
      onLost: () => lost++,
    })
    await capture.start()
    await waitFor(() => ready === 1, { what: 'the capture' })
    sender = await connect(broker.url)
    sender.on('error', () => undefined)
  })

  afterEach(async () => {
    await capture.stop()
    await sender.close().catch(() => undefined)
  })

  async function send(key: string, body: unknown): Promise<void> {
    const channel = await sender.createConfirmChannel()
    const content = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
    channel.publish('celeryev', key, content, { contentType: 'application/json' })
    await channel.waitForConfirms()
    await channel.close()
  }

  const heard = (count: number): Promise<void> => waitFor(() => events.length >= count, { what: `${count} events` })

  it('takes single events and batches, in their order, and adds when they came', async () => {
    const before = Date.now() / 1000
    await send('worker.online', { type: 'worker-online', hostname: 'w@h', clock: 7 })
    await send('task.multi', [
      { type: 'task-received', uuid: 'a', clock: 8 },
      { type: 'task-started', uuid: 'a', clock: 9 },
    ])
    await heard(3)
    expect(events.map(({ clock, type }) => [type, clock])).toEqual([
      ['worker-online', 7],
      ['task-received', 8],
      ['task-started', 9],
    ])
    expect(Number(events[0]?.local_received)).toBeGreaterThanOrEqual(before)
    expect(lamport.value).toBeGreaterThan(9)
  })

  it("reckons a sender's local time over to ours", async () => {
    const here = Math.floor(new Date().getTimezoneOffset() / 60)
    await send('task.sent', { type: 'task-sent', timestamp: 10_000, utcoffset: here - 2, clock: 900 })
    await heard(1)
    expect(events[0]).toMatchObject({ timestamp: 17_200, utcoffset: here - 2 })
    expect(events[0]?.clock).not.toBe(900)
  })

  it('drops what is no event, and goes on', async () => {
    await send('task.sent', 'nonsense')
    await send('task.sent', { no: 'type' })
    await send('task.sent', { type: 'task-sent' })
    await heard(1)
    expect(log.of('WARNING').map((line) => line.slice(0, 20))).toEqual(['An event was dropped', 'An event was dropped'])
  })

  it('hears them again after the broker was away', async () => {
    await broker.stop()
    await waitFor(() => lost === 1, { what: 'the loss' })
    await broker.start()
    await waitFor(() => ready === 2, { what: 'the capture to be back' })
    sender = await connect(broker.url)
    await send('worker.online', { type: 'worker-online', hostname: 'w@h', clock: 1 })
    await heard(1)
    await capture.stop()
    expect(lost).toBe(1)
  })
})
