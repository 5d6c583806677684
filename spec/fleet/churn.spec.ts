import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { laneName } from '../../lib/fleet/laneOf.js'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { killAllPrograms } from '../support/program.js'
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

/** `worker_max_deliveries`. */
const MOST = 2

describe('a message in a lane of a quorum queue that is handed over again and again', () => {
  // What there is of queues is asked of the whole broker.
  let broker: Rabbitmq
  let client: Client
  let queue: string
  let worker: Worker | undefined

  beforeAll(async () => {
    broker = await startRabbitmq()
  })

  beforeEach(async () => {
    client = await Client.open(broker.url)
    queue = await client.queue({ 'x-queue-type': 'quorum', 'x-single-active-consumer': true })
  })

  afterEach(async () => {
    await killAllPrograms()
    await worker?.stop()
    worker = undefined
    await client.deleteQueue(laneName(queue, 0))
    await client.deleteQueue(`${queue}.lanes`)
    await client.close()
  })

  afterAll(() => broker.dispose())

  const counts = async (): Promise<string[]> =>
    (await broker.ctl('list_queues', '-q', 'name', 'messages')).split('\n').filter((line) => line.includes('.runs.'))

  it('is not taken for poison, whoever has it, as long as no run of it ended its worker', async () => {
    const ran: number[] = []
    let isHeldUp = true
    const app = new OfflineApp('spec')
    app.task('spec.keyed', { bind: true, orderBy: () => 'key' }, (self, n: number) => {
      if (isHeldUp) throw self.retry({ countdown: 50 })
      ran.push(n)
    })
    await client.publish(
      queue,
      [0, 1].map((n) => taskMessage('spec.keyed', { args: [n] })),
    )
    const start = async (): Promise<Worker> => {
      const fleet = { worker_fleet_queues: queue, worker_fleet_lanes: 1, worker_fleet_queue_type: 'quorum' }
      const started = await startWorker(app, broker.url, queue, {
        ...fleet,
        worker_max_deliveries: MOST,
        without_mingle: true,
      })
      worker = started.worker
      return started.worker
    }
    for (let handOver = 0; handOver <= MOST; handOver++) {
      const { line } = await start()
      await waitFor(() => line.state.parked === 2 || line.state.refused.size > 0, {
        what: `both messages to wait after ${handOver} hand-overs`,
      })
      expect(line.state.refused).toEqual(new Map())
      await worker?.stop()
    }
    isHeldUp = false
    await start()
    await waitFor(() => ran.length === 2, { what: 'both to run' })
    expect(ran).toEqual([0, 1])
    await waitFor(async () => (await counts()).length === 0, { what: 'no count to be left' })
  })

  it('is rejected after the limit, if each of its runs ends the worker', async () => {
    const start = () =>
      startWorkerProgram({
        brokerUrl: broker.url,
        app: 'build/apps/killedAt.js',
        args: ['-Q', queue, '--fleet', queue, '-c', '4'],
        env: {
          CELERY_WORKER_FLEET_QUEUE_TYPE: 'quorum',
          CELERY_WORKER_FLEET_LANES: '1',
          CELERY_WORKER_MAX_DELIVERIES: String(MOST),
        },
      })
    let program = await start()
    await program.waitForOutput(/are moved to its 1 lanes/)
    // Straight to the lane: a mover that is killed may move a message a second time.
    await client.publish(laneName(queue, 0), [
      taskMessage('killed.always', { kwargs: { n: 0, key: 'k' } }),
      taskMessage('steps.step', { kwargs: { n: 1, key: 'k', ms: 1 } }),
    ])
    for (let run = 0; run < MOST; run++) {
      expect(await program.exited).toEqual({ code: null, signal: 'SIGKILL' })
      program = await start()
    }
    await program.waitForOutput(/killed\.always\[.*\] was rejected: it was delivered 2 times before/)
    await program.waitForOutput(/steps\.step\[.*\] succeeded/)
    await waitFor(async () => (await counts()).length === 0, { what: 'no count to be left' })
    program.kill('SIGTERM')
    expect(await program.exited).toEqual({ code: 0, signal: null })
  })
})
