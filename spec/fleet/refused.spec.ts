import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { deferred } from '../../lib/listeners.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.js'
import { waitFor } from '../support/waitFor.js'

let broker: Rabbitmq
let client: Client

beforeAll(async () => {
  broker = await startRabbitmq()
  client = await Client.open(broker.url)
})

afterAll(async () => {
  await client.close()
  await broker.dispose()
})

it('a fleet that the broker refuses keeps nothing from the other queues, is told, and is tried again', async () => {
  const [shared, plain] = [await client.queue(), await client.queue()]
  await broker.ctl('add_user', 'narrow', 'narrow')
  await broker.ctl('set_permissions', 'narrow', `^(?!${shared}\\.fleet).*`, '.*', '.*')
  const app = new OfflineApp('spec')
  const began: string[] = []
  const end = deferred<void>()
  app.task('spec.note', { acksLate: true }, async (name: string) => {
    began.push(name)
    if (name === 'plain') await end.promise
  })
  await client.publish(plain, [taskMessage('spec.note', { args: ['plain'] })])
  await client.publish(shared, [taskMessage('spec.note', { args: ['shared'] })])
  const { worker, log } = await startWorker(app, broker.url.replace('guest:guest', 'narrow:narrow'), [shared, plain], {
    worker_fleet_queues: [shared],
    worker_fleet_lanes: 2,
  })
  try {
    expect(worker.readiness).toEqual([expect.stringMatching(`^queue ${shared} is not shared .*ACCESS_REFUSED`)])
    expect(log.of('ERROR')).toEqual([expect.stringContaining(`Can't share ${shared} with other workers: `)])
    await broker.ctl('set_permissions', 'narrow', '.*', '.*', '.*')
    await waitFor(() => began.includes('shared'), { what: 'the fleet to work' })
    expect(began).toEqual(['plain', 'shared'])
    expect(worker.readiness).toEqual([])
    expect(log.of('INFO').filter((line) => line.startsWith('Connected to '))).toHaveLength(1)
  } finally {
    end.resolve()
    await worker.stop()
  }
})
