import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Window } from '../../../lib/amqp/window/window.js'
import type { Delivery } from '../../../lib/ports.js'
import { Client } from '../../support/client.js'
import { consumedQueue } from '../../support/consumedQueue.js'
import { type ConnectionUnderTest, connectionTo } from '../../support/epoch.js'
import { MemoryLog } from '../../support/memoryLog.js'
import { taskMessage } from '../../support/message.js'
import { brokerUrl } from '../../support/services.js'
import { waitFor } from '../../support/waitFor.js'

const numberIn = ({ content }: Pick<Delivery, 'content'>): number => JSON.parse(content.toString())[0][0]

/** One worker's window, and what came through it. */
interface Taker {
  readonly under: ConnectionUnderTest
  readonly window: Window
  readonly deliveries: Delivery[]
}

describe.each(['classic', 'quorum'] as const)('a %s queue that one worker hands over to another', (type) => {
  let client: Client
  let queue: string
  let log: MemoryLog
  let one: Taker
  let other: Taker

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue({ 'x-queue-type': type, 'x-single-active-consumer': true })
    await client.publish(
      queue,
      Array.from({ length: 6 }, (_, n) => taskMessage('t', { args: [n] })),
    )
    log = new MemoryLog()
    one = await open()
    await waitFor(() => one.deliveries.length === 4, { what: 'the first messages' })
    other = await open()
  })

  afterEach(async () => {
    await one.under.connection.stop()
    await other.under.connection.stop()
    await client.close()
  })

  async function open(): Promise<Taker> {
    const taker = await begin()
    await taker.window.settled()
    return taker
  }

  /** Its consumer is still being opened. */
  async function begin(): Promise<Taker> {
    const under = await connectionTo(brokerUrl(), log)
    await waitFor(() => under.epochs.length === 1, { what: 'the connection' })
    const [epoch] = under.epochs
    if (!epoch) throw new Error('there is no connection')
    const deliveries: Delivery[] = []
    let sequence = 0
    const window = new Window({
      epoch,
      prefetch: 1,
      kinds: new Map([[queue, consumedQueue({ type, singleActive: true, fixed: 4 })]]),
      log,
      nextSequence: () => ++sequence,
      onDelivery: (delivery) => deliveries.push(delivery),
      onLost: () => undefined,
      declare: async () => undefined,
    })
    window.resize(new Map([[queue, 4]]))
    return { under, window, deliveries }
  }

  const taken = (): number[] => other.deliveries.map(numberIn)

  it('stays with the one, with what is given back, until it is dropped; then the other gets the rest in order', async () => {
    one.window.retain(queue)
    one.deliveries[2]?.giveBack()
    one.deliveries[1]?.giveBack()
    one.deliveries[0]?.ack()
    // For the one that was acknowledged: it is still the one's.
    await waitFor(() => one.deliveries.length === 5, { what: 'the next message' })
    expect([taken(), await client.depth(queue)]).toEqual([[], 1])
    await one.window.drop(queue)
    await waitFor(() => other.deliveries.length === 4, { what: 'the rest' })
    expect(taken()).toEqual([1, 2, 3, 4])
    for (const delivery of other.deliveries) delivery.ack()
    await waitFor(() => other.deliveries.length === 5, { what: 'the last message' })
    expect(taken()).toEqual([1, 2, 3, 4, 5])
  })

  it('keeps its consumer while it is retained, whatever the window is told', async () => {
    one.window.retain(queue)
    one.window.resize(new Map())
    await one.window.settled()
    one.deliveries[0]?.ack()
    await waitFor(() => one.deliveries.length === 5, { what: 'the next message' })
    expect([one.window.count(queue), taken()]).toEqual([1, []])
  })

  it('can be taken again once it was dropped, behind whoever waits for it', async () => {
    one.window.retain(queue)
    await one.window.drop(queue)
    expect(one.window.count(queue)).toBe(0)
    await waitFor(() => other.deliveries.length === 4, { what: 'the messages' })
    one.window.resize(new Map([[queue, 4]]))
    await one.window.settled()
    expect([one.window.count(queue), one.deliveries.length]).toEqual([1, 4])
    other.window.retain(queue)
    await other.window.drop(queue)
    await waitFor(() => one.deliveries.length === 8, { what: 'the messages again' })
    expect(one.deliveries.slice(4).map(numberIn)).toEqual([0, 1, 2, 3])
  })

  it('has back what is settled too late, which the log says', async () => {
    one.window.retain(queue)
    await one.window.drop(queue)
    expect(one.deliveries.map(({ live }) => live)).toEqual([false, false, false, false])
    one.deliveries[0]?.ack()
    expect(log.of('WARNING').at(-1)).toContain("Couldn't ack 1: its channel is gone")
    await waitFor(() => other.deliveries.length === 4, { what: 'the messages' })
    expect(taken()).toEqual([0, 1, 2, 3])
  })

  it('leaves no consumer behind when it is dropped while that is being opened', async () => {
    const before = await client.consumers(queue)
    const third = await begin()
    // Its channel has been asked for, and not been answered yet.
    await new Promise(setImmediate)
    await third.window.drop(queue)
    await third.window.settled()
    // The broker answers in order: what was sent before the second of them has been done.
    for (const _ of [1, 2]) await third.under.epochs[0]?.channel()
    expect(await client.consumers(queue)).toBe(before)
    await third.under.connection.stop()
  })
})
