import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type Channel, type ChannelModel, type ConsumeMessage, connect } from 'amqplib'
import { DelayQueues, type DelayQueueType } from '../../lib/amqp/delayed.js'
import { Epoch } from '../../lib/amqp/epoch.js'
import { connectionOptions } from '../../lib/amqp/options.js'
import { AmqpPublisher } from '../../lib/amqp/publisher.js'
import { declareQueue } from '../../lib/amqp/topology.js'
import { systemClock } from '../../lib/clock.js'
import type { OutgoingMessage } from '../../lib/protocol/amqp.js'
import { delayed, delayedKey, levelName, relay } from '../../lib/protocol/delay.js'
import { loadSettings } from '../../lib/settings/load.js'
import { queueNamed } from '../../lib/settings/queues.js'
import type { QueueDefinition } from '../../lib/settings/routing.js'
import { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.js'
import { randomQueue } from '../support/randomName.js'
import { bestOf } from '../support/rounds.js'
import { isRabbitmq } from '../support/versions.js'
import { waitFor } from '../support/waitFor.js'

const LEVELS = [...Array(28).keys()]
const HOUR_MS = 3_600_000

/** A message on its way through the delay queues. */
function routed(message: OutgoingMessage | null, name: string, delayMs: number): OutgoingMessage {
  const later = message && delayed(message, name, delayMs)
  if (!later) throw new Error('it was not relayed')
  return later
}

/** What came out of a queue, and when. */
interface Arrival {
  readonly at: number
  readonly message: ConsumeMessage
}

// The names of the delay queues are fixed, so these specs have a broker of their own.
let rabbitmq: Rabbitmq
let log: MemoryLog
let connection: ChannelModel
let epoch: Epoch
let channel: Channel
let publisher: AmqpPublisher

beforeAll(async () => {
  rabbitmq = await startRabbitmq()
})

afterAll(async () => {
  await rabbitmq.dispose()
})

beforeEach(async () => {
  log = new MemoryLog()
  await open(rabbitmq.url)
})

afterEach(close)

async function open(url: string): Promise<void> {
  connection = await connect(url)
  epoch = new Epoch(connection)
  channel = await connection.createChannel()
  channel.on('error', () => undefined)
  const { settings } = loadSettings({ config: { broker_url: url }, env: {}, flags: {} })
  publisher = new AmqpPublisher(connectionOptions('producer', settings, systemClock, log))
}

async function close(): Promise<void> {
  await publisher.stop()
  await epoch.close()
}

/** A vhost without delay queues, connected to. */
async function freshVhost(): Promise<string> {
  const vhost = randomQueue()
  await rabbitmq.ctl('add_vhost', vhost)
  await rabbitmq.ctl('set_permissions', '-p', vhost, 'guest', '.*', '.*', '.*')
  await close()
  await open(rabbitmq.url.replace(/\/\/$/, `/${vhost}`))
  return vhost
}

async function list(vhost: string, ...what: string[]): Promise<Array<Record<string, unknown>>> {
  return JSON.parse(await rabbitmq.ctl('-q', '-p', vhost, ...what, '--formatter', 'json'))
}

async function declared(type: DelayQueueType = 'quorum'): Promise<DelayQueues> {
  const delays = new DelayQueues(type, log)
  await delays.declare(epoch)
  return delays
}

/** A queue as a worker consumes it, bound to the delay queues; on a direct exchange unless the definition says otherwise. */
async function queue(delays: DelayQueues, definition: Partial<QueueDefinition> = {}): Promise<string> {
  const name = definition.name ?? randomQueue()
  const { settings } = loadSettings({ config: { task_queues: [{ ...definition, name }] }, env: {}, flags: {} })
  await declareQueue(epoch, queueNamed(name, settings), log)
  await delays.bind(epoch, queueNamed(name, settings))
  return name
}

async function arrivals(queue: string): Promise<Arrival[]> {
  const taken: Arrival[] = []
  await channel.consume(queue, (message) => message && taken.push({ at: Date.now(), message }), { noAck: true })
  return taken
}

/** How many messages are in each level's queue; levels without any are left out. */
async function depths(): Promise<Record<number, number>> {
  const found: Array<[number, number]> = []
  for (const level of LEVELS) found.push([level, (await channel.checkQueue(levelName(level))).messageCount])
  return Object.fromEntries(found.filter(([, count]) => count > 0))
}

async function nothingDelayed(): Promise<void> {
  await waitFor(async () => Object.keys(await depths()).length === 0, { what: 'empty delay queues' })
}

function dueIn(seconds: number, queue: string, id?: string): OutgoingMessage {
  const message = { ...taskMessage('t', id === undefined ? {} : { id }), exchange: '', routingKey: queue }
  const sent = delayed(message, queue, seconds * 1000)
  if (!sent) throw new Error(`no way to delay by ${seconds} s`)
  return sent
}

describe('the delay queues', () => {
  it.each(['quorum', 'classic'] as const)('are laid out as Celery does it, of type %s', async (type) => {
    const vhost = await freshVhost()
    await declared(type)
    const queues = await list(vhost, 'list_queues', 'name', 'durable', 'arguments')
    const bindings = await list(
      vhost,
      'list_bindings',
      'source_name',
      'destination_name',
      'destination_kind',
      'routing_key',
    )
    const next = (level: number) => (level === 0 ? 'celery_delayed_delivery' : `celery_delayed_${level - 1}`)
    const found = queues.map(({ name, durable, arguments: args }) => ({ name, durable, arguments: table(args) }))
    expect(found.sort(byName)).toEqual(
      LEVELS.map((level) => ({
        name: `celery_delayed_${level}`,
        durable: true,
        arguments: {
          'x-queue-type': type,
          'x-overflow': 'reject-publish',
          'x-message-ttl': 1000 * 2 ** level,
          'x-dead-letter-exchange': next(level),
          ...(type === 'quorum' ? { 'x-dead-letter-strategy': 'at-least-once' } : {}),
        },
      })).sort(byName),
    )
    const ofLevels = bindings.filter(({ source_name }) => source_name !== '')
    expect(ofLevels).toHaveLength(56)
    expect(ofLevels).toEqual(
      expect.arrayContaining(
        LEVELS.flatMap((level) => [
          {
            source_name: `celery_delayed_${level}`,
            destination_name: `celery_delayed_${level}`,
            destination_kind: 'queue',
            routing_key: `${'*.'.repeat(27 - level)}1.#`,
          },
          {
            source_name: `celery_delayed_${level}`,
            destination_name: next(level),
            destination_kind: 'exchange',
            routing_key: `${'*.'.repeat(27 - level)}0.#`,
          },
        ]),
      ),
    )
    expect(log.of('WARNING')).toEqual([])
  })

  it('are declared in no more than twice the time that as many bare declarations take', async () => {
    const timed = async (work: () => Promise<unknown>): Promise<number> => {
      await freshVhost()
      const before = performance.now()
      await work()
      return performance.now() - before
    }
    const bare = async (): Promise<void> => {
      for (const level of LEVELS) {
        const own = await connection.createChannel()
        const type = { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-message-ttl': 2 ** level * 1000 } }
        const { queue } = await own.assertQueue(levelName(level), type)
        await own.assertExchange(queue, 'topic', { durable: true })
        await own.bindQueue(queue, queue, '1.#')
        await own.bindExchange('amq.topic', queue, '0.#')
        await own.close()
      }
    }
    const measure = async (): Promise<number> => (await timed(declared)) / (await timed(bare))
    expect(await bestOf(5, measure, (times) => times <= 2)).toBeLessThanOrEqual(2)
  })

  it('are declared again without a word', async () => {
    await freshVhost()
    await declared()
    await declared()
    expect(log.of('WARNING')).toEqual([])
  })

  it('are declared once an epoch', async () => {
    const delays = await declared()
    await channel.deleteQueue(levelName(27))
    await delays.declare(epoch)
    await expect(channel.checkQueue(levelName(27))).rejects.toThrow('NOT_FOUND')
    await declared()
  })

  it('are used as they are when they exist with another type, and work', async () => {
    await freshVhost()
    await declared('classic')
    const delays = await declared('quorum')
    expect(log.of('WARNING')).toEqual([
      `Delay queues exist with other arguments and are used as they are: ${LEVELS.map(levelName).join(', ')}`,
    ])
    const name = await queue(delays)
    const taken = await arrivals(name)
    await publisher.publish(dueIn(3, name))
    await waitFor(() => taken.length === 1, { what: 'the message' })
  })

  it('are refused with the reason where the user may not declare them', async () => {
    const vhost = await freshVhost()
    await rabbitmq.ctl('set_permissions', '-p', vhost, 'guest', '^spec', '.*', '.*')
    const delays = new DelayQueues('quorum', log)
    await expect(delays.declare(epoch)).rejects.toThrow('ACCESS_REFUSED')
    await expect(delays.declare(epoch)).rejects.toThrow('ACCESS_REFUSED')
    expect(epoch.ended.aborted).toBe(false)
  })
})

describe('a broker without quorum queues', () => {
  it('gets classic ones on the next connection, with a warning, since it ends the first', async () => {
    process.env.RABBITMQ_FEATURE_FLAGS = ''
    const old = await startRabbitmq()
    try {
      await close()
      await open(old.url)
      const delays = new DelayQueues('quorum', log)
      // From 4 on no RabbitMQ is without them.
      if (await isRabbitmq(4)) {
        await delays.declare(epoch)
        expect(log.of('WARNING')).toEqual([])
        return
      }
      await expect(delays.declare(epoch)).rejects.toThrow('feature flag is disabled')
      expect(log.of('WARNING')).toEqual([expect.stringContaining('classic ones are used instead')])
      await open(old.url)
      await delays.declare(epoch)
      const name = await queue(delays)
      const taken = await arrivals(name)
      await publisher.publish(dueIn(1, name))
      await waitFor(() => taken.length === 1, { what: 'the message' })
    } finally {
      delete process.env.RABBITMQ_FEATURE_FLAGS
      await close()
      await old.dispose()
      await open(rabbitmq.url)
    }
  })

  it('gets classic ones at once when it refuses only the declaration', async () => {
    const types: unknown[] = []
    const refusing = {
      on: () => undefined,
      createChannel: async () => ({
        on: () => undefined,
        close: async () => undefined,
        assertExchange: async () => undefined,
        bindQueue: async () => undefined,
        bindExchange: async () => undefined,
        assertQueue: async (_: string, options: { arguments: Record<string, unknown> }) => {
          const type = options.arguments['x-queue-type']
          types.push(type)
          const message =
            "PRECONDITION_FAILED - invalid arg 'x-message-ttl' for queue of queue type rabbit_quorum_queue"
          if (type === 'quorum') throw Object.assign(new Error(message), { code: 406 })
        },
      }),
    }
    await new DelayQueues('quorum', log).declare(new Epoch(refusing as unknown as ChannelModel))
    expect(types).toEqual(['quorum', ...LEVELS.map(() => 'classic')])
    expect(log.of('WARNING')).toHaveLength(1)
  })
})

describe('a delayed message', () => {
  it.each(['quorum', 'classic'] as const)('arrives once, in its time, through %s queues', async (type) => {
    await freshVhost()
    const name = await queue(await declared(type))
    const taken = await arrivals(name)
    const due = new Map<string, number>()
    for (const seconds of [5, 3, 1]) {
      for (let n = 0; n < 20; n++) {
        const id = `${seconds} s, ${n}`
        await publisher.publish(dueIn(seconds, name, id))
        due.set(id, Date.now() + seconds * 1000)
      }
    }
    await waitFor(() => taken.length >= due.size, { what: 'all messages' })
    await nothingDelayed()
    expect(taken.map(({ message }) => message.properties.correlationId).sort()).toEqual([...due.keys()].sort())
    for (const { at, message } of taken) {
      const { correlationId, headers } = message.properties
      // Whole seconds are left out at most; how late it may be is the broker's affair, but not in which queues it waited.
      expect(at - (due.get(correlationId) ?? 0)).toBeGreaterThan(-1000)
      const waited = headers?.['x-death']?.map(({ queue }) => LEVELS.findIndex((level) => levelName(level) === queue))
      const seconds = waited?.reduce((sum, level) => sum + 2 ** level, 0)
      expect(`${seconds} s`).toBe(correlationId.split(',')[0])
    }
  })

  it('comes with the long key and its content and headers untouched, and can be delayed again', async () => {
    const name = await queue(await declared())
    const taken = await arrivals(name)
    const { properties, content } = taskMessage('t', { args: ['ž', 1], headers: { mine: { a: [1, null] } } })
    const first = relay(
      { queue: name, properties, content },
      { id: 'x', eta: Date.now() + 3_100, expires: null },
      Date.now(),
    )
    await publisher.publish(routed(first, name, 3_100))
    for (const times of [1, 2]) {
      await waitFor(() => taken.length === times, { what: `arrival ${times}` })
      const { message } = taken[times - 1] as Arrival
      expect(message.fields).toMatchObject({ exchange: 'celery_delayed_delivery', routingKey: delayedKey(3, name) })
      expect(message.content).toEqual(content)
      expect(message.properties).toMatchObject({
        correlationId: properties.correlationId,
        deliveryMode: 2,
        priority: 0,
      })
      expect(message.properties.headers).toMatchObject(properties.headers ?? {})
      expect(message.properties.headers).toHaveProperty('x-death')
      if (times === 2) break
      const eta = Date.now() + 3_100
      const again = relay({ queue: name, ...message }, { id: 'x', eta, expires: null }, Date.now())
      await publisher.publish(routed(again, name, 3_100))
    }
    await nothingDelayed()
  })

  it('reaches a queue on a topic exchange once, by its name and by its routing key', async () => {
    const delays = await declared()
    const key = randomQueue()
    const named = await queue(delays, { exchange_type: 'topic' })
    const keyed = await queue(delays, { exchange_type: 'topic', routing_key: key })
    const [byNamed, byKeyed] = [await arrivals(named), await arrivals(keyed)]
    await publisher.publish(dueIn(1, named))
    await publisher.publish(dueIn(1, keyed, 'by name'))
    // As a Python producer sends it.
    await publisher.publish({
      ...dueIn(1, keyed, 'by key'),
      exchange: 'celery_delayed_27',
      routingKey: delayedKey(1, key),
    })
    await waitFor(() => byNamed.length >= 1 && byKeyed.length >= 2, { what: 'all messages' })
    await nothingDelayed()
    expect(byNamed).toHaveLength(1)
    expect(byKeyed.map(({ message }) => message.properties.correlationId).sort()).toEqual(['by key', 'by name'])
  })

  it('does not reach a queue whose name is the end of its own', async () => {
    const delays = await declared()
    const short = await queue(delays, { name: randomQueue().replaceAll('.', '-') })
    const long = await queue(delays, { name: `other.${short}` })
    const [byShort, byLong] = [await arrivals(short), await arrivals(long)]
    await publisher.publish(dueIn(1, long))
    await waitFor(() => byLong.length === 1, { what: 'the message' })
    await nothingDelayed()
    expect(byShort).toEqual([])
  })

  it("comes back when a Python worker's retry sends it on without the digits", async () => {
    const name = await queue(await declared())
    await publisher.publish({
      ...taskMessage('t'),
      exchange: 'celery_delayed_delivery',
      routingKey: name,
      mandatory: true,
    })
    expect((await channel.checkQueue(name)).messageCount).toBe(1)
  })

  it('reaches a queue that was bound before the delay queues were there', async () => {
    await freshVhost()
    const delays = new DelayQueues('quorum', log)
    const name = await queue(delays)
    await delays.declare(epoch)
    await publisher.publish(dueIn(1, name))
    await waitFor(async () => (await channel.checkQueue(name)).messageCount === 1, {
      what: 'the message',
    })
  })
})

describe('10,000 messages with an ETA in an hour', () => {
  it('are in the delay queues, none of them unacknowledged, and outlive a restart of the broker', async () => {
    const vhost = await freshVhost()
    const name = await queue(await declared())
    const [id, now] = ['x', Date.now()]
    const sent = Array.from({ length: 10_000 }, async (_, n) => {
      const message = relay(
        { queue: name, ...taskMessage('t', { args: [n] }) },
        { id, eta: now + HOUR_MS, expires: null },
        now,
      )
      await publisher.publish(routed(message, name, HOUR_MS))
    })
    await Promise.all(sent)
    // 3600 s is 1.1.1.0.0.0.0.1.0.0.0.0 in binary: the first wait is in the queue of 2048 s.
    expect(await depths()).toEqual({ 11: 10_000 })
    await close()
    await rabbitmq.stop()
    await rabbitmq.start()
    await open(rabbitmq.url.replace(/\/\/$/, `/${vhost}`))
    await waitFor(async () => (await depths())[11] === 10_000, {
      what: 'the messages after a restart',
    })
    // The broker's own statistics follow some seconds later.
    const total = async (column: string): Promise<number> => {
      const queues = await list(vhost, 'list_queues', 'name', column)
      return queues.reduce((sum, queue) => sum + Number(queue[column]), 0)
    }
    await waitFor(async () => (await total('messages')) === 10_000, { what: 'the statistics' })
    expect(await total('messages_unacknowledged')).toBe(0)
    expect((await channel.checkQueue(name)).messageCount).toBe(0)
  })
})

/** rabbitmqctl writes a table as triples of name, type and value. */
function table(triples: unknown): Record<string, unknown> {
  return Object.fromEntries((triples as Array<[string, string, unknown]>).map(([name, , value]) => [name, value]))
}

function byName(one: { name?: unknown }, other: { name?: unknown }): number {
  return String(one.name).localeCompare(String(other.name))
}
