import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { malformed } from '../support/malformed.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

describe('malformed messages', () => {
  let client: Client
  let queue: string
  let worker: Worker | undefined

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
  })

  afterEach(async () => {
    await worker?.stop()
    await client.close()
  })

  it('are all settled and counted, a thousand of them, and the valid ones between them all run', async () => {
    const ran = new Set<number>()
    const app = new OfflineApp('spec')
    app.task('spec.ok', (n: number) => {
      ran.add(n)
    })
    const started = await startWorker(app, brokerUrl(), queue, { worker_max_message_size: 65_536 })
    worker = started.worker
    const { state } = worker.line
    const messages = [...malformed(1000)].flatMap((bad, n) =>
      n % 5 === 0 ? [bad, taskMessage('spec.ok', { args: [100_000 + n] })] : [bad],
    )
    await client.publish(queue, messages)
    await waitFor(() => state.received === messages.length && state.requests.size === 0, {
      what: 'every message to be settled',
    })
    expect([...ran].every((n) => n >= 100_000)).toBe(true)
    expect(ran.size).toBe(200)
    expect([...state.refused.values()].reduce((sum, count) => sum + count, 0)).toBe(1000)
    expect(worker.readiness).toEqual([])
    // Nothing is left unacknowledged: a stop, which would give such messages back, leaves the queue empty.
    await worker.stop()
    expect(await client.depth(queue)).toBe(0)
  })
})
