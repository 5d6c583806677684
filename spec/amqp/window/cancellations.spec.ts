import { beforeEach, describe, expect, it } from '@jest/globals'
import { Acks } from '../../../lib/amqp/acks.js'
import type { Epoch } from '../../../lib/amqp/epoch.js'
import { Window } from '../../../lib/amqp/window/window.js'
import type { Delivery } from '../../../lib/ports.js'
import { MemoryLog } from '../../support/memoryLog.js'
import { waitFor } from '../../support/waitFor.js'

type OnMessage = (message: unknown) => void

/** RabbitMQ 3 never cancels a consumer of a queue that stays, so what 4.3 does at its `consumer_timeout` is played here. */
describe('a consumer that the broker cancels', () => {
  let isThere: boolean
  let refusal: string
  let declared: string[]
  let consumers: OnMessage[]
  let lost: Error | null
  let closed: number
  /** Settlements that were written, and the end of a channel. */
  let written: string[]
  /** Answers to our own cancellations that are on their way. */
  let cancelOks: Array<() => void>
  let deliveries: Delivery[]
  let log: MemoryLog
  let window: Window

  beforeEach(async () => {
    isThere = true
    refusal = `NOT_FOUND - no queue 'q' in vhost '/'`
    declared = []
    consumers = []
    lost = null
    closed = 0
    written = []
    cancelOks = []
    deliveries = []
    log = new MemoryLog()
    const channel = {
      on: () => undefined,
      prefetch: async () => undefined,
      consume: async (_queue: string, onMessage: OnMessage) => {
        consumers.push(onMessage)
      },
      cancel: () => new Promise<void>((resolve) => cancelOks.push(resolve)),
      ack: ({ fields }: { fields: { deliveryTag: number } }) => written.push(`ack ${fields.deliveryTag}`),
      checkQueue: async () => {
        if (!isThere) throw Object.assign(new Error(refusal), { code: 404 })
      },
      close: async () => {
        closed++
        written.push('close')
      },
    }
    const acks = new Acks()
    const epoch = {
      acks,
      ended: new AbortController().signal,
      lastingChannel: async () => channel,
      gather: () => queueMicrotask(() => acks.write()),
      scratch: (use: (of: typeof channel) => Promise<unknown>) => use(channel),
      end: (error: Error) => {
        throw error
      },
    }
    window = new Window({
      epoch: epoch as unknown as Epoch,
      node: 'w@h',
      prefetch: 1,
      kinds: new Map(),
      log,
      nextSequence: () => 1,
      onDelivery: (delivery) => deliveries.push(delivery),
      onLost: (_queue, error) => {
        lost = error
      },
      declare: async (queue) => {
        declared.push(queue)
      },
    })
    window.resize(new Map([['q', 1]]))
    await window.settled()
  })

  const deliver = (to = 0): void =>
    consumers[to]?.({ fields: { deliveryTag: 1, consumerTag: `w@h.${to + 1}` }, properties: {}, content: Buffer.of() })

  const cancel = async (): Promise<void> => {
    consumers[0]?.(null)
    await waitFor(() => consumers.length === 2, { what: 'the next consumer' })
    expect(declared).toEqual(['q'])
    expect(closed).toBe(1)
  }

  it('with messages in hand that the broker has taken back loses them, and says what to do', async () => {
    deliver()
    await cancel()
    expect(lost?.message).toMatch(/^the broker cancelled a consumer of q and took back .*: 1, .*consumer_timeout/)
    expect(deliveries.map(({ live }) => live)).toEqual([false])
  })

  it('loses what it held also if another one, which held nothing, was cancelled first', async () => {
    window.resize(new Map([['q', 2]]))
    await waitFor(() => consumers.length === 2, { what: 'the other consumer' })
    deliver()
    consumers[1]?.(null)
    consumers[0]?.(null)
    await waitFor(() => lost !== null, { what: 'the loss' })
    expect(lost?.message).toMatch(/took back the messages that it held: 1,/)
    await waitFor(() => consumers.length === 4, { what: 'the next consumers' })
  })

  it.each([
    ['has it back', true],
    ['has not', false],
  ])('keeps what it held from being acknowledged until it is known that the broker %s', async (_what, there) => {
    isThere = there
    deliver()
    consumers[0]?.(null)
    const [delivery] = deliveries
    delivery?.ack()
    expect([delivery?.live, delivery?.writing]).toEqual([true, expect.any(Promise)])
    await delivery?.writing
    await waitFor(() => consumers.length === 2, { what: 'the next consumer' })
    expect([delivery?.live, lost === null]).toEqual([!there, !there])
  })

  it('with nothing in hand is opened again', async () => {
    await cancel()
    expect(lost).toBeNull()
  })

  it('brings nothing more, since what came after is behind what was taken back', async () => {
    deliver()
    consumers[0]?.(null)
    deliver()
    await waitFor(() => consumers.length === 2, { what: 'the next consumer' })
    expect(deliveries).toHaveLength(1)
  })

  it('since its queue is gone is opened again on a new one, and what it held runs to its end', async () => {
    isThere = false
    deliver()
    await cancel()
    expect(lost).toBeNull()
    expect(deliveries.map(({ live }) => live)).toEqual([true])
    deliveries[0]?.ack()
    expect(log.of('WARNING')).toEqual([expect.stringContaining('Subscribing again')])
  })

  it('since the node of its queue is down loses what it held', async () => {
    isThere = false
    refusal = `NOT_FOUND - home node 'a@b' of durable queue 'q' in vhost '/' is down or inaccessible`
    deliver()
    await cancel()
    expect(lost).not.toBeNull()
    expect(deliveries.map(({ live }) => live)).toEqual([false])
  })

  it('while we cancel it ourselves loses what it held all the same, and nothing of it is acknowledged', async () => {
    deliver()
    window.resize(new Map([['q', 0]]))
    await window.settled()
    deliveries[0]?.ack()
    expect(cancelOks).toHaveLength(1)
    consumers[0]?.(null)
    cancelOks[0]?.()
    await waitFor(() => closed === 1, { what: 'the channel to be closed' })
    await deliveries[0]?.writing
    expect([lost?.message, deliveries[0]?.live]).toEqual([expect.stringMatching(/took back/), false])
    expect(written).toEqual(['close'])
  })

  it('while we cancel it ourselves, and holds nothing, changes nothing', async () => {
    window.resize(new Map([['q', 0]]))
    await waitFor(() => cancelOks.length === 1, { what: 'our own cancellation' })
    consumers[0]?.(null)
    cancelOks[0]?.()
    await window.settled()
    expect([lost, closed, log.of('WARNING')]).toEqual([null, 0, []])
  })

  it('of a queue that is consumed no more is followed by the acknowledgement that waits for it, before the channel closes', async () => {
    window.resize(new Map([['q', 2]]))
    await waitFor(() => consumers.length === 2, { what: 'the other consumer' })
    deliver(1)
    window.resize(new Map())
    await waitFor(() => cancelOks.length === 1, { what: 'the cancellation of the idle one' })
    deliveries[0]?.ack()
    expect(cancelOks).toHaveLength(2)
    // Both are read at once.
    for (const cancelOk of cancelOks.reverse()) cancelOk()
    await waitFor(() => closed === 1, { what: 'the channel to be closed' })
    expect(written).toEqual(['ack 1', 'close'])
  })
})
