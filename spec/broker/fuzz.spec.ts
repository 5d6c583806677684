import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { Fuzz, type Fuzzed } from '../support/fuzz.js'
import { startWorker } from '../support/inProcessWorker.js'
import type { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { ownBroker } from '../support/ownBroker.js'
import { ping } from '../support/pinger.js'
import { RawClient } from '../support/rawClient.js'
import { waitFor } from '../support/waitFor.js'

/** Task messages; a tenth as many for remote control and events. The whole of it: CELERIAC_SPEC_FUZZ=100000. */
const SIZE = Number(process.env.CELERIAC_SPEC_FUZZ ?? 3000)
const SEED = Number(process.env.CELERIAC_SPEC_FUZZ_SEED ?? 4711)
const BATCH = 50
const MEBIBYTE = 1024 * 1024

// What is sent to all workers would be heard, and logged, by those of other specs.
const brokerUrl = ownBroker()

describe('a worker that is sent anything at all', () => {
  let client: Client
  let raws: RawClient
  let queue: string
  let worker: Worker
  let log: MemoryLog
  let nodename = ''
  const markers = new Set<unknown>()
  let refusals = 0

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    raws = await RawClient.open(brokerUrl())
    queue = await client.queue()
    const app = new OfflineApp('spec')
    app.task('spec.ok', () => undefined)
    app.task('spec.marker', (n: number) => {
      markers.add(n)
    })
    ;({ worker, log } = await startWorker(app, brokerUrl(), queue))
    nodename = log.of('INFO').flatMap((line) => /^(\S+) ready\.$/.exec(line)?.[1] ?? [])[0] ?? ''
  })

  afterEach(async () => {
    await worker.stop()
    await raws.close()
    await client.close()
  })

  /** On a new connection after each message for which the broker closes it. @returns how many it has surely taken */
  async function send(messages: readonly (Fuzzed & { exchange: string; routingKey: string })[]): Promise<number> {
    for (const message of messages) raws.publish(message)
    const taken = await raws.settled()
    if (raws.refusal !== null) {
      refusals++
      await raws.close()
      raws = await RawClient.open(brokerUrl())
      return taken
    }
    return taken
  }

  it(
    `serves every valid message among ${SIZE} (CELERIAC_SPEC_FUZZ) of seed ${SEED}, settles all, and keeps nothing`,
    async () => {
      const fuzz = new Fuzz(SEED)
      const { state } = worker.line
      let sent = 0
      let heap = 0
      for (let batch = 0; batch * BATCH < SIZE; batch++) {
        const tasks = Array.from({ length: BATCH }, () => ({ ...fuzz.message(), exchange: '', routingKey: queue }))
        await send(tasks)
        const others = Array.from({ length: BATCH / 10 }, (_, n) =>
          n % 2 === 0
            ? { ...fuzz.control(), exchange: 'celery.pidbox', routingKey: '' }
            : { ...fuzz.event(), exchange: 'celeryev', routingKey: 'worker.heartbeat' },
        )
        await send(others)
        await client.publish(queue, [taskMessage('spec.marker', { args: [sent++] })])
        await waitFor(() => markers.size === sent, { what: `marker ${sent} of seed ${SEED} to be served` })
        // The spec's own log would be what grows.
        log.lines.splice(0)
        if (batch * BATCH * 4 <= SIZE) heap = heapUsed()
      }
      await waitFor(() => state.requests.size === 0, { what: 'every message to be settled' })
      const refused = [...state.refused.values()].reduce((sum, count) => sum + count, 0)
      const ended = [...state.endings.values()].reduce((sum, count) => sum + count, 0)
      expect(refused + ended).toBe(state.received)
      expect(state.received).toBeGreaterThan(SIZE * 0.5)
      expect(refusals).toBeLessThan(SIZE / 20)
      expect(heapUsed() - heap).toBeLessThan(64 * MEBIBYTE)
      await ping(brokerUrl(), nodename, 1)
      expect(worker.readiness).toEqual([])
      // Nothing is left unacknowledged: a stop, which would give such messages back, leaves the queue empty.
      await worker.stop()
      expect(await client.depth(queue)).toBe(0)
    },
    60_000 + SIZE * 100,
  )
})

function heapUsed(): number {
  return process.memoryUsage().heapUsed
}
