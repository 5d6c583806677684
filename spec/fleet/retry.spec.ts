import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { AmqpSession } from '../../lib/amqp/amqpSession.js'
import { systemClock } from '../../lib/clock.js'
import { callWorkers } from '../../lib/control/broadcast.js'
import { laneName } from '../../lib/fleet/laneOf.js'
import { deferred } from '../../lib/listeners.js'
import { LamportClock } from '../../lib/protocol/lamport.js'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { connectionTo } from '../support/epoch.js'
import { startWorker } from '../support/inProcessWorker.js'
import { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

const BEFORE = 4

let client: Client
let queue: string
let worker: Worker
let log: MemoryLog
let ran: string[]
let running: number
const changed = deferred<void>()

beforeEach(async () => {
  client = await Client.open(brokerUrl())
  queue = await client.queue()
  ran = []
  running = 0
  const app = new OfflineApp('spec')
  app.task('spec.again', { bind: true }, async (self, name: string) => {
    running++
    if (self.request.retries > 0) return void ran.push(name)
    await changed.promise
    throw self.retry({ countdown: 0 })
  })
  const config = { worker_fleet_queues: [queue], worker_fleet_lanes: BEFORE }
  ;({ worker, log } = await startWorker(app, brokerUrl(), queue, config))
})

afterEach(async () => {
  changed.resolve()
  await worker.stop()
  for (let lane = 0; lane < BEFORE; lane++) await client.deleteQueue(laneName(queue, lane))
  await client.deleteQueue(`${queue}.lanes`)
  await client.deleteExchange(`${queue}.fleet`)
  await client.close()
})

async function changeLanes(lanes: number): Promise<void> {
  const { connection, epochs } = await connectionTo(brokerUrl(), new MemoryLog())
  try {
    await waitFor(() => epochs[0], { what: 'the connection' })
    const session = new AmqpSession(epochs[0] as (typeof epochs)[number], log)
    const call = { method: 'fleet_lanes', arguments: { queue, lanes }, destination: [worker.name] }
    await callWorkers(session, call, { timeout: 5, clock: systemClock, lamport: new LamportClock(), log })
  } finally {
    await connection.stop()
  }
}

it('a task that began in a lane that is no more runs again', async () => {
  const logged = (text: string): boolean => log.of('INFO').some((line) => line.includes(text))
  await waitFor(() => logged(`are moved to its ${BEFORE} lanes`), { what: 'a mover' })
  const names = Array.from({ length: BEFORE }, (_, n) => String(n))
  await client.publish(
    queue,
    names.map((name) => taskMessage('spec.again', { args: [name] })),
  )
  await waitFor(() => running === BEFORE, { what: 'a task of each lane to run' })
  await changeLanes(1)
  await waitFor(() => logged(`${BEFORE} to 1: done`), { what: 'the change' })
  changed.resolve()
  await waitFor(() => ran.length === BEFORE, { what: 'all of them to run again' })
  expect(ran.sort()).toEqual(names)
})
