import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { type Link, openLink, through } from '../support/link.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { brokerUrl } from '../support/services.js'
import { settlementReader } from '../support/settlements.js'
import { waitFor } from '../support/waitFor.js'

const PAIRS = 300

describe('acknowledgements', () => {
  let client: Client
  let link: Link
  let worker: Worker | undefined
  /** Numbers of the messages whose acknowledgements went to the broker, in that order. */
  let acked: number[]
  /** How many messages each frame acknowledged. */
  let frames: number[]

  beforeEach(async () => {
    acked = []
    frames = []
    client = await Client.open(brokerUrl())
    const readers = new Map<string, (chunk: Buffer) => void>()
    /** By channel, the numbers of the messages that it has brought, by their tags. */
    const unsettled = new Map<string, Map<number, number>>()
    const port = Number(new URL(brokerUrl()).port || 5672)
    link = await openLink(port, (chunk, connection, from) => {
      const id = `${connection} ${from}`
      const reader =
        readers.get(id) ??
        settlementReader((passage) => {
          const channel = `${connection} ${passage.channel}`
          const brought = unsettled.get(channel) ?? new Map<number, number>()
          unsettled.set(channel, brought)
          if (passage.what === 'delivered') {
            brought.set(passage.tag, Number(/number=(\d+)/.exec(passage.headers)?.[1]))
            return
          }
          const meant = [...brought.keys()].filter((tag) => (passage.all ? tag <= passage.tag : tag === passage.tag))
          for (const tag of meant) {
            acked.push(brought.get(tag) ?? -1)
            brought.delete(tag)
          }
          frames.push(meant.length)
        })
      readers.set(id, reader)
      reader(chunk)
    })
  })

  afterEach(async () => {
    await worker?.stop()
    await link.close()
    await client.close()
  })

  it('of one order key are written in its order while the window shrinks', async () => {
    const queue = await client.queue()
    const app = new OfflineApp('spec')
    app.task('step', { params: ['key', 'ms'], orderBy: 'kwargs.key' }, (_key: string, ms: number) => sleep(ms))
    await client.publish(
      queue,
      Array.from({ length: 2 * PAIRS }, (_, n) =>
        taskMessage('step', {
          kwargs: { key: `k${n >> 1}`, ms: n % 2 ? 0 : 1 + (n % 7) },
          headers: { number: `number=${n}` },
        }),
      ),
    )
    const url = through(brokerUrl(), link.port)
    ;({ worker } = await startWorker(app, url, queue, { worker_concurrency: 8 }))
    await waitFor(() => acked.length >= 2 * PAIRS, { what: 'all messages to be acknowledged' })
    const places = new Map(acked.map((n, at) => [n, at]))
    const early = acked.filter(
      (n) => n % 2 === 1 && (places.get(n) ?? 0) < (places.get(n - 1) ?? Number.POSITIVE_INFINITY),
    )
    expect(early).toEqual([])
    expect(acked).toHaveLength(2 * PAIRS)
  })

  /** @param ms how long the task of each message takes */
  async function acknowledge(count: number, ms: (n: number) => number): Promise<void> {
    const queue = await client.queue()
    const app = new OfflineApp('spec')
    app.task('step', { params: ['ms'], acksLate: true }, (ms: number) => (ms > 0 ? sleep(ms) : undefined))
    const messages = Array.from({ length: count }, (_, n) =>
      taskMessage('step', { args: [ms(n)], headers: { number: `number=${n}` } }),
    )
    await client.publish(queue, messages)
    const settings = { worker_concurrency: 50, worker_prefetch_multiplier: 4 }
    ;({ worker } = await startWorker(app, through(brokerUrl(), link.port), queue, settings))
    await waitFor(() => acked.length >= count, { what: 'all messages to be acknowledged' })
    expect([...acked].sort((one, other) => one - other)).toEqual(messages.map((_, n) => n))
    await worker.stop()
    expect(await client.depth(queue)).toBe(0)
  }

  it('share a frame where nothing before them is unsettled', async () => {
    await acknowledge(1000, () => 0)
    expect(frames.length).toBeLessThan(500)
  })

  it('go one by one behind a message that is still running', async () => {
    await acknowledge(100, (n) => (n === 0 ? 500 : 0))
    // All that was in hand with the first one, and what came in its time.
    expect(frames.slice(0, acked.indexOf(0)).every((count) => count === 1)).toBe(true)
    expect(acked.indexOf(0)).toBeGreaterThan(1)
  })
})
