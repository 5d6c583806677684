import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import type { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

const ROUNDS = 20
const A_ROUND = 40
const KEYS = 10
const SLOTS = 12

describe('a queue that is deleted under load', () => {
  let client: Client
  let steady: string
  let doomed: string
  let worker: Worker | undefined
  let log: MemoryLog
  /** By queue: the numbers of the messages that ran, in the order in which they began. */
  let began: Map<string, number[]>
  let inversions: string[]
  let redelivered: number

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    ;[steady, doomed] = [await client.queue(), await client.queue()]
    began = new Map([
      [steady, []],
      [doomed, []],
    ])
    inversions = []
    redelivered = 0
  })

  afterEach(async () => {
    await worker?.stop()
    worker = undefined
    await client.close()
  })

  async function start(config: Record<string, unknown> = {}): Promise<Worker> {
    const last = new Map<string, number>()
    const running = new Set<string>()
    const app = new OfflineApp('spec')
    app.task(
      'spec.step',
      { bind: true, acksLate: true, orderBy: 'args.1' },
      async (self, n: number, key: string, queue: string) => {
        if (queue === steady && self.request.deliveryInfo.redelivered) redelivered++
        if (running.has(key)) inversions.push(`${n} of ${key} beside another one`)
        if (n < (last.get(key) ?? -1)) inversions.push(`${n} of ${key} after ${last.get(key)}`)
        running.add(key)
        last.set(key, n)
        began.get(queue)?.push(n)
        await new Promise((resolve) => setTimeout(resolve, n % 4))
        running.delete(key)
      },
    )
    const started = await startWorker(app, brokerUrl(), [steady, doomed], { without_mingle: true, ...config })
    ;({ log, worker } = started)
    return started.worker
  }

  let published = 0
  /** @returns the number of the last one */
  async function publish(queue: string, count: number): Promise<number> {
    const messages = Array.from({ length: count }, () => {
      const n = published++
      return taskMessage('spec.step', { args: [n, `${queue}.${n % KEYS}`, queue] })
    })
    await client.publish(queue, messages)
    return published - 1
  }

  const ran = (queue: string): number[] => began.get(queue) ?? []
  /** Why the connection was lost, each time. */
  const losses = (): string[] => log.of('WARNING').filter((line) => line.startsWith('consumer: '))
  const deletions = (): number => log.of('WARNING').filter((line) => line.endsWith('Subscribing again...')).length

  it('and made again, by whomever, costs the other queues nothing, and is served again at once', async () => {
    const { line } = await start({ worker_autoscale: `${SLOTS},2` })
    // The window grows and shrinks all the time, so that it finds the queue gone in every way there is.
    const resizing = setInterval(() => line.pool.resize(1 + Math.floor(Math.random() * SLOTS)), 5)
    try {
      for (let round = 0; round < ROUNDS; round++) {
        await publish(steady, A_ROUND)
        await publish(doomed, A_ROUND)
        const before = ran(doomed).length
        const moment = Math.floor((Math.random() * A_ROUND) / 2)
        await waitFor(() => ran(doomed).length >= before + moment, { what: `${moment} of the doomed tasks to run` })
        const seen = deletions()
        await client.deleteQueue(doomed)
        if (round % 2 === 0) await waitFor(() => deletions() > seen, { what: 'the worker to see it' })
        await client.declare(doomed)
        const next = await publish(doomed, 1)
        await waitFor(() => ran(doomed).includes(next), { what: 'the queue to be served again' })
      }
      await waitFor(() => ran(steady).length >= ROUNDS * A_ROUND, { what: 'every steady task to run' })
    } finally {
      clearInterval(resizing)
    }
    expect(losses()).toEqual([])
    expect(inversions).toEqual([])
    expect(redelivered).toBe(0)
    expect(ran(steady)).toHaveLength(ROUNDS * A_ROUND)
    expect(log.of('ERROR')).toEqual([])
  })
})
