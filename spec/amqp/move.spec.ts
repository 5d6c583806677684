import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { AmqpMove } from '../../lib/amqp/move.js'
import type { Destination, MoveOptions } from '../../lib/broker/fleetSession.js'
import { QueueRefused } from '../../lib/broker/intake.js'
import { deferred } from '../../lib/listeners.js'
import type { IncomingMessage } from '../../lib/protocol/amqp.js'
import { loadSettings } from '../../lib/settings/load.js'
import { queueNamed } from '../../lib/settings/queues.js'
import { Client } from '../support/client.js'
import { type ConnectionUnderTest, connectionTo } from '../support/epoch.js'
import { forcedClose } from '../support/forcedClose.js'
import { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { RawClient } from '../support/rawClient.js'
import { jsonProperties, taskHeaders, text } from '../support/rawTable.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

const numberIn = (content: Buffer): number => JSON.parse(content.toString())[0][0]

describe('messages that are moved', () => {
  let client: Client
  let from: string
  let to: string
  let under: ConnectionUnderTest
  let log: MemoryLog
  let moved: number
  const moves: AmqpMove[] = []

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    from = await client.queue()
    to = await client.queue()
    log = new MemoryLog()
    moved = 0
    under = await connectionTo(brokerUrl(), log)
    await waitFor(() => under.epochs.length === 1, { what: 'the connection' })
  })

  afterEach(async () => {
    for (const move of moves.splice(0)) await move.stop()
    await under.connection.stop()
    await client.close()
  })

  async function open(options: Partial<MoveOptions> = {}, args: Record<string, unknown> = {}): Promise<AmqpMove> {
    const [epoch] = under.epochs
    if (!epoch) throw new Error('there is no connection')
    const { settings } = loadSettings({ config: {}, env: {}, flags: {} })
    const all = {
      from: { ...queueNamed(from, settings), arguments: args },
      inFlight: 4,
      begin: async () => undefined,
      destinationOf: () => ({ queue: to, key: 'k' }),
      onUnreadable: () => undefined,
      onMoved: (count: number) => {
        moved += count
      },
      ...options,
    }
    const move = await AmqpMove.open(epoch, all, log)
    moves.push(move)
    return move
  }

  const fill = (count: number, first = 0): Promise<void> =>
    client.publish(
      from,
      Array.from({ length: count }, (_, n) => taskMessage('t', { args: [first + n], headers: { of: first + n } })),
    )
  const numbers = async (queue: string): Promise<number[]> => (await client.take(queue)).map(numberIn)
  const allMoved = (count: number): Promise<void> => waitFor(() => moved === count, { what: `${count} moved` })

  it('are in their order, and are no more where they were', async () => {
    await fill(20)
    await open()
    await allMoved(20)
    expect(await client.depth(from)).toBe(0)
    expect(await numbers(to)).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })

  it('go each where it is said, with what is said of the message', async () => {
    const odd = await client.queue()
    const seen: unknown[] = []
    const destinationOf = ({ content, properties, queue }: IncomingMessage): Destination => {
      seen.push([queue, properties.headers?.of])
      return { queue: numberIn(content) % 2 === 1 ? odd : to, key: null }
    }
    await fill(4)
    await open({ destinationOf })
    await allMoved(4)
    expect(seen).toEqual([0, 1, 2, 3].map((n) => [from, n]))
    expect([await numbers(to), await numbers(odd)]).toEqual([
      [0, 2],
      [1, 3],
    ])
  })

  it('keep the mark that monitors know of them, and leave behind what brokers noted', async () => {
    const headers = { 'celeriac-received': true, 'x-delivery-count': 3, of: 0 }
    await client.publish(from, [taskMessage('t', { args: [0], headers })])
    const seen: unknown[] = []
    const [next, last] = [to, await client.queue()]
    await open()
    await allMoved(1)
    const { settings } = loadSettings({ config: {}, env: {}, flags: {} })
    const destinationOf = ({ properties }: IncomingMessage): Destination => {
      seen.push(properties.headers)
      return { queue: last, key: 'k' }
    }
    await open({ from: queueNamed(next, settings), destinationOf })
    await allMoved(2)
    expect(seen).toEqual([expect.objectContaining({ 'celeriac-received': true, of: 0 })])
    expect(seen).not.toEqual([expect.objectContaining({ 'x-delivery-count': 3 })])
  })

  it('wait until it has begun; what that throws ends it, and they are back', async () => {
    const { promise, reject } = deferred<void>()
    await fill(3)
    const move = await open({ begin: () => promise })
    await waitFor(async () => (await client.depth(from)) === 0, { what: 'the messages to be taken' })
    reject(new Error('not now'))
    expect((await move.ended)?.message).toBe('not now')
    await waitFor(async () => (await client.depth(from)) === 3, { what: 'the messages to be back' })
    expect([await numbers(from), await client.depth(to)]).toEqual([[0, 1, 2], 0])
  })

  it('stay while it is paused, and go on after it', async () => {
    const move = await open()
    await fill(2)
    await allMoved(2)
    await move.pause()
    await fill(6, 2)
    await waitFor(async () => (await client.depth(from)) === 2, { what: 'as many to be taken as may be' })
    expect(await client.depth(to)).toBe(2)
    move.resume()
    await allMoved(8)
    expect(await numbers(to)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('are back in their places when it stops, and another gets them', async () => {
    const move = await open()
    await move.pause()
    await fill(6)
    await waitFor(async () => (await client.depth(from)) === 2, { what: 'some to be taken' })
    await move.stop()
    expect(await move.ended).toBeNull()
    await open()
    await allMoved(6)
    expect(await numbers(to)).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('are not lost where there is no such queue: that ends it', async () => {
    await fill(3)
    const move = await open({ destinationOf: () => ({ queue: 'spec.nowhere', key: 'k' }) })
    expect((await move.ended)?.message).toBe('there is no queue spec.nowhere')
    await waitFor(async () => (await client.depth(from)) === 3, { what: 'the messages to be back' })
    expect([await numbers(from), moved]).toEqual([[0, 1, 2], 0])
  })

  describe('of several keys', () => {
    /** Of messages 0 to 5 three keys, two each. */
    const keyed = ({ content }: IncomingMessage): Destination => ({
      queue: to,
      key: `k${Math.floor(numberIn(content) / 2)}`,
    })

    it('are moved once each when it stops between the messages of a key', async () => {
      await fill(6)
      let move: AmqpMove | null = null
      let seen = 0
      const begun = deferred<void>()
      const destinationOf = (message: IncomingMessage): Destination => {
        // One of each key is under way by then.
        if (++seen === 6) void move?.stop()
        return keyed(message)
      }
      move = await open({ inFlight: 6, begin: () => begun.promise, destinationOf })
      begun.resolve()
      expect(await move.ended).toBeNull()
      await open({ destinationOf: keyed })
      await allMoved(6)
      expect(await numbers(to)).toEqual([0, 2, 4, 1, 3, 5])
    })

    it('are moved once each when the broker refuses one of them', async () => {
      const full = await client.queue({ 'x-max-length': 1, 'x-overflow': 'reject-publish' })
      await client.publish(full, [taskMessage('t', { args: [99] })])
      await fill(6)
      const destinationOf = (message: IncomingMessage): Destination => ({
        ...keyed(message),
        queue: numberIn(message.content) === 1 ? full : to,
      })
      const move = await open({ inFlight: 6, destinationOf })
      expect((await move.ended)?.message).toBe(`the broker refused a message for ${full}`)
      await open({ destinationOf: keyed })
      await allMoved(6)
      expect((await numbers(to)).sort()).toEqual([0, 1, 2, 3, 4, 5])
    })

    it('are moved once each when there is no queue for one of them', async () => {
      await fill(6)
      const destinationOf = (message: IncomingMessage): Destination => ({
        ...keyed(message),
        queue: numberIn(message.content) === 1 ? 'spec.nowhere' : to,
      })
      const move = await open({ inFlight: 6, destinationOf })
      expect((await move.ended)?.message).toBe('there is no queue spec.nowhere')
      await open({ destinationOf: keyed })
      await allMoved(6)
      expect((await numbers(to)).sort()).toEqual([0, 1, 2, 3, 4, 5])
    })
  })

  it('are not taken for refused when the broker shuts down', async () => {
    const broker = await forcedClose(brokerUrl())
    await under.connection.stop()
    under = await connectionTo(broker.url, log)
    await waitFor(() => under.epochs.length === 1, { what: 'the connection' })
    const [received, begun] = [deferred<void>(), deferred<void>()]
    await fill(1)
    const begin = (): Promise<void> => {
      received.resolve()
      return begun.promise
    }
    const move = await open({ begin })
    await received.promise
    broker.force()
    begun.resolve()
    try {
      expect((await move.ended)?.message).toBe('the channel was closed')
    } finally {
      await under.connection.stop()
      await broker.close()
    }
  })

  it('are rejected if they can not be written, and hold up none', async () => {
    const raws = await RawClient.open(brokerUrl())
    const { content } = taskMessage('t', { args: [1] })
    // More than a client of amqplib writes in one frame.
    const properties = jsonProperties({ ...taskHeaders('t', 'a'), large: text('x'.repeat(70_000)) })
    await fill(1)
    raws.publish({ routingKey: from, properties, body: content })
    expect(await raws.settled()).toBe(1)
    await raws.close()
    await fill(2, 2)
    const unreadable: string[] = []
    await open({ onUnreadable: ({ message }) => unreadable.push(message) })
    await allMoved(3)
    expect([await numbers(to), unreadable.length, await client.depth(from)]).toEqual([[0, 2, 3], 1, 0])
  })

  it('are refused to a second one', async () => {
    await open()
    await expect(open()).rejects.toThrow(QueueRefused)
  })

  it('are refused where the queue is a stream', async () => {
    from = await client.queue({ 'x-queue-type': 'stream' })
    await expect(open({}, { 'x-queue-type': 'stream' })).rejects.toThrow(/is a stream/)
  })

  it('are refused where a quorum queue lets in any number of consumers', async () => {
    from = await client.queue({ 'x-queue-type': 'quorum' })
    await expect(open({}, { 'x-queue-type': 'quorum' })).rejects.toThrow(/without x-single-active-consumer/)
  })

  it('can wait while another queue is made in a new way', async () => {
    const move = await open()
    await move.pause()
    const { settings } = loadSettings({ config: {}, env: {}, flags: {} })
    await move.replace({ ...queueNamed(to, settings), arguments: { 'x-max-length': 5 } })
    await client.declare(to, { 'x-max-length': 5 })
    await fill(7)
    move.resume()
    await allMoved(7)
    expect(await numbers(to)).toEqual([2, 3, 4, 5, 6])
  })
})
