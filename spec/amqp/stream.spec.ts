import { afterEach, beforeEach, expect, it } from '@jest/globals'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import type { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

let client: Client
let queue: string
let stream: string
let worker: Worker
let log: MemoryLog
let ran: string[]

beforeEach(async () => {
  client = await Client.open(brokerUrl())
  queue = await client.queue()
  stream = await client.queue({ 'x-queue-type': 'stream' })
  ran = []
  const app = new OfflineApp('spec')
  app.task('spec.note', (name: string) => void ran.push(name))
  ;({ worker, log } = await startWorker(app, brokerUrl(), [stream, queue], { worker_concurrency: 4 }))
})

afterEach(async () => {
  await worker.stop()
  await client.close()
})

// The broker gives each message of a stream to each of its consumers.
it('a stream is not consumed, is named in the log and in the readiness, and the other queues are consumed', async () => {
  await client.publish(stream, [taskMessage('spec.note', { args: ['streamed'] })])
  await client.publish(queue, [taskMessage('spec.note', { args: ['queued'] })])
  await waitFor(() => ran.includes('queued'), { what: 'the message of the other queue to run' })
  expect(ran).toEqual(['queued'])
  expect(log.of('ERROR')).toEqual([expect.stringContaining(`Can't consume from ${stream}: ${stream} is a stream`)])
  expect(worker.readiness).toEqual([expect.stringContaining(`queue ${stream} is not consumed`)])
})
