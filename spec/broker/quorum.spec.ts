import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type ChannelModel, connect } from 'amqplib'
import type { OrderBy } from '../../lib/app/orderKey.js'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

const MESSAGES = 6000
const KEYS = 150
const SLOTS = 16

const keyOf = (n: number): string => `k${Math.floor(n / 2) % KEYS}`

/** RabbitMQ hands a quorum queue out in order only as long as the number of its consumers stays the same. */
describe('the order of a quorum queue', () => {
  let client: Client
  let queue: string

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue({ 'x-queue-type': 'quorum' })
  })

  afterEach(async () => {
    await client.close()
  })

  describe('at the bare channel', () => {
    let connection: ChannelModel

    beforeEach(async () => {
      connection = await connect(brokerUrl())
      await client.publish(
        queue,
        Array.from({ length: MESSAGES }, (_, n) => taskMessage('spec.step', { args: [n] })),
      )
    })

    afterEach(async () => {
      await connection.close()
    })

    /** Drains the queue through one channel; `wanted` says, each time it is asked, how many consumers there are to be. */
    async function drain(prefetch: number, wanted: () => number): Promise<number> {
      const channel = await connection.createChannel()
      await channel.prefetch(prefetch, false)
      const tags: string[] = []
      let last = -1
      let done = 0
      let inversions = 0
      const consume = async (): Promise<void> => {
        const { consumerTag } = await channel.consume(queue, (message) => {
          if (!message) return
          const [[n]] = JSON.parse(message.content.toString()) as [[number]]
          if (n < last) inversions++
          last = Math.max(last, n)
          setImmediate(() => {
            channel.ack(message)
            done++
          })
        })
        tags.push(consumerTag)
      }
      while (done < MESSAGES) {
        const count = wanted()
        while (tags.length < count) await consume()
        while (tags.length > count) await channel.cancel(tags.shift() ?? '')
        await new Promise(setImmediate)
      }
      return inversions
    }

    it('is broken while consumers come and go', async () => {
      expect(await drain(1, () => 1 + Math.floor(Math.random() * SLOTS))).toBeGreaterThan(0)
    })

    it('is kept by one consumer that takes as many at a time, so that the count of inversions is known to be right', async () => {
      expect(await drain(SLOTS, () => 1)).toBe(0)
    })
  })

  describe('in a worker whose slots come and go, and of whose messages many wait for their key', () => {
    let worker: Worker | undefined

    afterEach(async () => {
      await worker?.stop()
      worker = undefined
    })

    async function drain(
      orderBy: OrderBy | undefined,
    ): Promise<{ inversions: number; consumers: Set<number>; log: string[] }> {
      await client.publish(
        queue,
        Array.from({ length: MESSAGES }, (_, n) =>
          taskMessage('spec.step', { args: [n, keyOf(n)], headers: orderBy ? {} : { order_key: keyOf(n) } }),
        ),
      )
      const last = new Map<string, number>()
      let done = 0
      let inversions = 0
      const app = new OfflineApp('spec')
      app.task('spec.step', { ...(orderBy ? { orderBy } : {}) }, async (n: number, key: string) => {
        if (n < (last.get(key) ?? -1)) inversions++
        last.set(key, n)
        await new Promise((resolve) => setTimeout(resolve, n % 3))
        done++
      })
      const started = await startWorker(app, brokerUrl(), queue, { worker_autoscale: `${SLOTS},2` })
      worker = started.worker
      const { line } = worker
      const resizing = setInterval(() => line.pool.resize(1 + Math.floor(Math.random() * SLOTS)), 5)
      const consumers = new Set<number>()
      try {
        await waitFor(
          async () => {
            if (done > MESSAGES / 10) consumers.add(await client.consumers(queue))
            return done >= MESSAGES
          },
          { what: 'all messages to run' },
        )
      } finally {
        clearInterval(resizing)
      }
      return { inversions, consumers, log: started.log.of('WARNING') }
    }

    it('is kept by one consumer of constant size', async () => {
      const { consumers, inversions } = await drain('args.1')
      expect(inversions).toBe(0)
      expect([...consumers]).toEqual([1])
    })

    it('is kept where the messages alone name their keys', async () => {
      const { consumers, inversions, log } = await drain(undefined)
      expect(inversions).toBe(0)
      expect([...consumers]).toEqual([1])
      expect(log.filter((line) => line.includes('order_key'))).toHaveLength(1)
    })
  })
})
