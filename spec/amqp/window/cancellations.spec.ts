import { beforeEach, describe, expect, it } from '@jest/globals'
import type { Epoch } from '../../../lib/amqp/epoch.js'
import { Window } from '../../../lib/amqp/window/window.js'
import type { Delivery } from '../../../lib/ports.js'
import { MemoryLog } from '../../support/memoryLog.js'
import { waitFor } from '../../support/waitFor.js'

type OnMessage = (message: unknown) => void

/** RabbitMQ 3 never cancels a consumer of a queue that stays, so what 4.3 does at its `consumer_timeout` is played here. */
describe('a consumer that the broker cancels', () => {
  let isThere: boolean
  let declared: string[]
  let consumers: OnMessage[]
  let ended: Error | null
  let deliveries: Delivery[]
  let acked: number
  let window: Window

  beforeEach(async () => {
    isThere = true
    declared = []
    consumers = []
    ended = null
    deliveries = []
    acked = 0
    const ending = new AbortController()
    const channel = {
      on: () => undefined,
      prefetch: async () => undefined,
      consume: async (_queue: string, onMessage: OnMessage) => {
        consumers.push(onMessage)
      },
      ack: () => {
        acked++
      },
      checkQueue: async () => {
        if (!isThere) throw Object.assign(new Error('NOT_FOUND'), { code: 404 })
      },
    }
    const epoch = {
      ended: ending.signal,
      channel: async () => channel,
      gather: () => undefined,
      scratch: (use: (of: typeof channel) => Promise<unknown>) => use(channel),
      end: (error: Error) => {
        ended = error
        ending.abort(error)
      },
    }
    window = await Window.open({
      epoch: epoch as unknown as Epoch,
      node: 'w@h',
      prefetch: 1,
      fixed: new Map(),
      log: new MemoryLog(),
      nextSequence: () => 1,
      onDelivery: (delivery) => deliveries.push(delivery),
      declare: async (queue) => {
        declared.push(queue)
      },
    })
    window.resize(new Map([['q', 1]]))
    await window.settled()
  })

  const deliver = (): void =>
    consumers[0]?.({ fields: { deliveryTag: 1, consumerTag: 'w@h.1' }, properties: {}, content: Buffer.of() })

  it('with messages in hand that the broker has taken back ends the epoch, and says what to do', async () => {
    deliver()
    consumers[0]?.(null)
    await waitFor(() => ended !== null, { what: 'the end of the epoch' })
    expect(ended?.message).toMatch(
      /^the broker cancelled a consumer of q and took back the messages .*: 1\. .*consumer_timeout/,
    )
    expect(deliveries.map(({ live }) => live)).toEqual([false])
  })

  it('keeps, until it is known whether the broker has it back, what it held from being acknowledged', async () => {
    isThere = false
    deliver()
    consumers[0]?.(null)
    const [delivery] = deliveries
    delivery?.ack()
    expect(acked).toBe(0)
    await delivery?.writing
    expect(acked).toBe(1)
  })

  it('ends the epoch also if another one, which held nothing, was cancelled first', async () => {
    window.resize(new Map([['q', 2]]))
    await waitFor(() => consumers.length === 2, { what: 'the other consumer' })
    deliver()
    consumers[1]?.(null)
    consumers[0]?.(null)
    await waitFor(() => ended !== null, { what: 'the end of the epoch' })
    expect(ended?.message).toMatch(/took back the messages that it held: 1\./)
  })

  it('with nothing in hand is opened again', async () => {
    consumers[0]?.(null)
    await waitFor(() => consumers.length === 2, { what: 'the next consumer' })
    expect(ended).toBeNull()
  })

  it('since its queue is gone is opened again on a new one, and what it held runs to its end', async () => {
    isThere = false
    deliver()
    consumers[0]?.(null)
    await waitFor(() => consumers.length === 2, { what: 'the next consumer' })
    expect(declared).toEqual(['q'])
    expect(ended).toBeNull()
    expect(deliveries.map(({ live }) => live)).toEqual([true])
  })
})
