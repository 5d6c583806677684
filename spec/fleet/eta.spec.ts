import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.js'
import { waitFor } from '../support/waitFor.js'

// The names of the delay queues are fixed, so this spec has a broker of its own.
let rabbitmq: Rabbitmq
let client: Client

beforeAll(async () => {
  rabbitmq = await startRabbitmq()
  client = await Client.open(rabbitmq.url)
})

afterAll(async () => {
  await client.close()
  await rabbitmq.dispose()
})

it.each(['classic', 'quorum'])('a task that is due much later runs in a fleet on a %s queue', async (type) => {
  const queue = await client.queue(
    type === 'quorum' ? { 'x-queue-type': 'quorum', 'x-single-active-consumer': true } : {},
  )
  const app = new OfflineApp('spec')
  const ran: string[] = []
  app.task('spec.note', (name: string) => void ran.push(name))
  const { worker, log } = await startWorker(app, rabbitmq.url, queue, {
    worker_fleet_queues: [queue],
    worker_fleet_lanes: 2,
    worker_fleet_queue_type: type,
    worker_eta_memory_limit: 1,
  })
  try {
    await waitFor(() => log.of('INFO').some((line) => line.includes('are moved to its 2 lanes')), { what: 'a mover' })
    const eta = new Date(Date.now() + 8000).toISOString()
    await client.publish(queue, [taskMessage('spec.note', { args: ['later'], headers: { eta } })])
    await waitFor(() => ran.includes('later'), { what: 'the task to run' })
    expect(worker.line.state.postponed).toBe(1)
    expect(log.of('ERROR')).toEqual([])
  } finally {
    await worker.stop()
  }
})
