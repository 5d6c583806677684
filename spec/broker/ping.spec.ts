import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { callWorkers } from '../../lib/amqp/broadcast.js'
import { systemClock } from '../../lib/clock.js'
import { LamportClock } from '../../lib/protocol/lamport.js'
import { Client } from '../support/client.js'
import { connectionTo } from '../support/epoch.js'
import { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { ownBroker } from '../support/ownBroker.js'
import { killAllPrograms } from '../support/program.js'
import { readSteps } from '../support/steps.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

const brokerUrl = ownBroker()
const SLOTS = 1000
const PINGS = 1000

describe('a worker whose 1,000 slots are busy, and whose queue is full', () => {
  let client: Client
  let dir: string
  let trace: string

  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    const queue = await client.queue()
    dir = await mkdtemp(join(tmpdir(), 'celeriac-spec-'))
    trace = join(dir, 'steps.jsonl')
    await client.publish(
      queue,
      Array.from({ length: SLOTS + 500 }, (_, n) =>
        taskMessage('steps.step', { kwargs: { n, key: `k${n}`, ms: 60_000 } }),
      ),
    )
    await startWorkerProgram({
      brokerUrl: brokerUrl(),
      args: ['-Q', queue, '-c', String(SLOTS), '-n', 'busy@spec'],
      env: { STEPS_TRACE: trace },
    })
    await waitFor(() => readSteps(trace).length === SLOTS, { what: 'every slot to be busy' })
  })

  afterAll(async () => {
    await killAllPrograms()
    await client.close()
    await rm(dir, { recursive: true })
  })

  it('answers a ping within 50 ms, 99 times of 100', async () => {
    const log = new MemoryLog()
    const { connection, epochs } = await connectionTo(brokerUrl(), log)
    await waitFor(() => epochs.length === 1, { what: 'the connection' })
    const [epoch] = epochs
    if (!epoch) throw new Error('no epoch')
    const lamport = new LamportClock()
    const call = { method: 'ping', destination: ['busy@spec'] }
    const took: number[] = []
    for (let n = 0; n < PINGS; n++) {
      const since = performance.now()
      const replies = await callWorkers(epoch, call, { clock: systemClock, lamport, log, timeout: 5 })
      took.push(performance.now() - since)
      expect(replies).toEqual([{ nodename: 'busy@spec', value: { ok: 'pong' } }])
    }
    await connection.stop()
    took.sort((a, b) => a - b)
    expect(took[Math.floor(PINGS * 0.99)]).toBeLessThan(50)
  })
})
