import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Reject } from '../../lib/app/predicate.js'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

const MESSAGES = 600
const KEYS = 20

/** What is given back on a channel that goes on comes again behind what is on its way already. */
describe('the order of a key whose task rejects messages back to the queue', () => {
  let client: Client
  let worker: Worker | undefined

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
  })

  afterEach(async () => {
    await worker?.stop()
    worker = undefined
    await client.close()
  })

  it.each(['classic', 'quorum'])('is kept on a %s queue', async (type) => {
    const queue = await client.queue({ 'x-queue-type': type })
    const messages = Array.from({ length: MESSAGES }, (_, n) => taskMessage('spec.step', { args: [n, n % KEYS] }))
    await client.publish(queue, messages)
    const rejected = new Set<number>()
    const done: number[] = []
    const app = new OfflineApp('spec')
    app.task('spec.step', { orderBy: 'args.1' }, async (n: number, _key: number) => {
      await new Promise(setImmediate)
      // Two of each key.
      if (n >= 200 && n < 200 + 2 * KEYS && !rejected.has(n)) {
        rejected.add(n)
        throw new Reject('later', true)
      }
      done.push(n)
    })
    worker = (await startWorker(app, brokerUrl(), queue)).worker
    await waitFor(() => done.length >= MESSAGES, { what: 'all messages to run' })
    const byKey = Array.from({ length: KEYS }, (_, key) => done.filter((n) => n % KEYS === key))
    expect(byKey).toEqual(byKey.map((each) => [...each].sort((one, other) => one - other)))
    expect([done.length, rejected.size]).toEqual([MESSAGES, 2 * KEYS])
  })
})
