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

describe('acknowledgements of one order key', () => {
  let client: Client
  let link: Link
  let worker: Worker | undefined
  /** Numbers of the messages whose acknowledgements went to the broker, in that order. */
  let acked: number[]

  beforeEach(async () => {
    acked = []
    client = await Client.open(brokerUrl())
    const readers = new Map<string, (chunk: Buffer) => void>()
    const numbers = new Map<string, number>()
    const port = Number(new URL(brokerUrl()).port || 5672)
    link = await openLink(port, (chunk, connection, from) => {
      const id = `${connection} ${from}`
      const reader =
        readers.get(id) ??
        settlementReader((passage) => {
          const tag = `${connection} ${passage.channel} ${passage.tag}`
          if (passage.what === 'acked') acked.push(numbers.get(tag) ?? -1)
          else numbers.set(tag, Number(/number=(\d+)/.exec(passage.headers)?.[1]))
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

  it('are written in its order while the window shrinks', async () => {
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
})
