import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { AmqpSession } from '../../lib/amqp/amqpSession.js'
import { systemClock } from '../../lib/clock.js'
import { callWorkers } from '../../lib/control/broadcast.js'
import { LamportClock } from '../../lib/protocol/lamport.js'
import { Client } from '../support/client.js'
import { connectionTo } from '../support/epoch.js'
import { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { ownBroker } from '../support/ownBroker.js'
import { killAllPrograms } from '../support/program.js'
import { bestOf } from '../support/rounds.js'
import { readSteps } from '../support/steps.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

const brokerUrl = ownBroker()
const SLOTS = 1000
const PINGS = 100
const ROUNDS = 5
const MOST_TIMES = 3

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
        taskMessage('steps.step', { kwargs: { n, key: `k${n}`, ms: 3_600_000 } }),
      ),
    )
    await startWorkerProgram({
      brokerUrl: brokerUrl(),
      args: ['-Q', queue, '-c', String(SLOTS), '-n', 'busy@spec'],
      env: { STEPS_TRACE: trace },
    })
    await startWorkerProgram({
      brokerUrl: brokerUrl(),
      args: ['-Q', await client.queue(), '-c', '1', '-n', 'idle@spec'],
    })
    await waitFor(() => readSteps(trace).length === SLOTS, { what: 'every slot to be busy' })
  })

  afterAll(async () => {
    await killAllPrograms()
    await client.close()
    await rm(dir, { recursive: true })
  })

  it('answers a ping nearly as fast as one that has nothing to do', async () => {
    const log = new MemoryLog()
    const { connection, epochs } = await connectionTo(brokerUrl(), log)
    await waitFor(() => epochs.length === 1, { what: 'the connection' })
    const [epoch] = epochs
    if (!epoch) throw new Error('no epoch')
    const lamport = new LamportClock()
    const ping = async (nodename: string): Promise<number> => {
      const since = performance.now()
      const call = { method: 'ping', destination: [nodename] }
      const replies = await callWorkers(new AmqpSession(epoch, log), call, {
        clock: systemClock,
        lamport,
        log,
        timeout: 120,
      })
      expect(replies).toEqual([{ nodename, value: { ok: 'pong' } }])
      return performance.now() - since
    }
    const measure = async (): Promise<number> => {
      const [busy, idle]: [number[], number[]] = [[], []]
      // In turn, so that both have the same machine.
      for (let n = 0; n < PINGS; n++) {
        busy.push(await ping('busy@spec'))
        idle.push(await ping('idle@spec'))
      }
      return quantile(busy, 0.95) / quantile(idle, 0.95)
    }
    expect(await bestOf(ROUNDS, measure, (times) => times <= MOST_TIMES)).toBeLessThanOrEqual(MOST_TIMES)
    await connection.stop()
  })
})

function quantile(values: number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN
}
