import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type Channel, type ChannelModel, type ConsumeMessage, connect } from 'amqplib'
import { AmqpEventSink } from '../../../lib/amqp/nodes/eventSink.js'
import { connectionOptions } from '../../../lib/amqp/options.js'
import { systemClock } from '../../../lib/clock.js'
import { EventDispatcher } from '../../../lib/events/dispatcher.js'
import { LamportClock } from '../../../lib/protocol/lamport.js'
import { loadSettings } from '../../../lib/settings/load.js'
import { type Link, openLink, through } from '../../support/link.js'
import { MemoryLog } from '../../support/memoryLog.js'
import { randomQueue } from '../../support/randomName.js'
import { brokerUrl } from '../../support/services.js'
import { waitFor } from '../../support/waitFor.js'

describe('the way out of events', () => {
  let monitor: ChannelModel
  let channel: Channel
  let link: Link
  let sink: AmqpEventSink
  let dispatcher: EventDispatcher
  let hostname: string
  let seen: ConsumeMessage[]

  beforeEach(async () => {
    hostname = randomQueue()
    seen = []
    monitor = await connect(brokerUrl())
    channel = await monitor.createChannel()
    await channel.assertExchange('celeryev', 'topic', { durable: true })
    const { queue } = await channel.assertQueue('', { exclusive: true })
    await channel.bindQueue(queue, 'celeryev', '#')
    await channel.consume(
      queue,
      (message) => {
        if (message?.properties.headers?.hostname === hostname) seen.push(message)
      },
      { noAck: true },
    )
    link = await openLink(Number(new URL(brokerUrl()).port))
    const { settings } = loadSettings({ config: { broker_url: through(brokerUrl(), link.port) }, env: {}, flags: {} })
    const log = new MemoryLog()
    const options = connectionOptions('producer', settings, systemClock, log)
    sink = new AmqpEventSink({ ...options, name: 'events', maxDelayMs: 50 })
    const groups = ['worker', 'task'] as const
    const lamport = new LamportClock()
    dispatcher = new EventDispatcher({ hostname, sink, lamport, clock: systemClock, log, groups })
  })

  afterEach(async () => {
    await dispatcher.stop()
    await link.close()
    await monitor.close()
  })

  const uuids = (): unknown[] =>
    seen.flatMap(({ content }) => [JSON.parse(content.toString())].flat().map(({ uuid }) => uuid))

  const opened = (): Promise<void> => waitFor(() => sink.open, { what: 'the sink to be open' })

  it('publishes to celeryev as Celery does', async () => {
    await dispatcher.start()
    await opened()
    dispatcher.send('worker-heartbeat', { freq: 2 })
    dispatcher.send('task-started', { uuid: 'a' })
    dispatcher.send('task-started', { uuid: 'b' })
    await waitFor(() => seen.length === 2, { what: 'two messages' })
    expect(seen.map(({ fields }) => [fields.exchange, fields.routingKey])).toEqual([
      ['celeryev', 'worker.heartbeat'],
      ['celeryev', 'task.multi'],
    ])
    expect(seen[0]?.properties).toMatchObject({
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      deliveryMode: 1,
      priority: 0,
      headers: { hostname },
    })
    expect(uuids()).toEqual([undefined, 'a', 'b'])
  })

  it('sends over the next connection what happened to tasks meanwhile', async () => {
    await dispatcher.start()
    await opened()
    link.refuse()
    link.cut()
    await waitFor(() => !sink.open, { what: 'the loss of the connection' })
    for (let n = 0; n < 30; n++) dispatcher.send('task-started', { uuid: n })
    dispatcher.onUp(() => dispatcher.send('worker-online', { uuid: 'online' }))
    await new Promise((resolve) => setImmediate(resolve))
    link.accept()
    await waitFor(() => uuids().length >= 31, { what: '31 events' })
    expect(uuids()).toEqual(['online', ...Array.from({ length: 30 }, (_, n) => n)])
  })

  it('is closed while the connection has more than enough to send, and then goes on in order', async () => {
    await dispatcher.start()
    await opened()
    link.stall()
    const filler = 'x'.repeat(1000)
    let sent = 0
    while (sink.open && sent < 100_000) dispatcher.send('task-started', { uuid: sent++, filler })
    expect(sent).toBeLessThan(100_000)
    for (let n = 0; n < 24; n++) dispatcher.send('task-started', { uuid: sent++ })
    link.resume()
    await waitFor(() => seen.at(-1)?.content.includes(`"uuid":${sent - 1},`), {
      what: `event ${sent}`,
    })
    expect(uuids()).toEqual(Array.from({ length: sent }, (_, n) => n))
    expect(sink.open).toBe(true)
  })

  it('has sent everything when it has stopped', async () => {
    await dispatcher.start()
    await opened()
    dispatcher.send('task-started', { uuid: 'last' })
    await dispatcher.stop()
    await waitFor(() => seen.length === 1, { what: 'the last event' })
    expect(uuids()).toEqual(['last'])
    dispatcher.send('worker-heartbeat', {})
    expect(sink.open).toBe(false)
  })
})
