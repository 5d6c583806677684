import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import type { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.js'
import { isRabbitmq } from '../support/versions.js'
import { waitFor } from '../support/waitFor.js'

/** Read when a queue is made, or a channel opened. The brokers look for what was held for too long at their ticks. */
const IMPATIENT = { consumer_timeout: 2000, channel_tick_interval: 500, quorum_tick_interval: 500 }
const OTHERS = 50

/** RabbitMQ 3 and 4.0 close the channel then; 4.3 cancels the consumer of a quorum queue, and leaves those of classic queues alone. */
describe("a message that is held for longer than the broker's consumer_timeout", () => {
  let broker: Rabbitmq
  let client: Client
  let worker: Worker | undefined
  let log: MemoryLog

  beforeAll(async () => {
    broker = await startRabbitmq()
    for (const [name, ms] of Object.entries(IMPATIENT))
      await broker.ctl('eval', `application:set_env(rabbit, ${name}, ${ms}).`)
  })

  beforeEach(async () => {
    client = await Client.open(broker.url)
  })

  afterEach(async () => {
    await worker?.stop()
    worker = undefined
    await client.close()
  })

  afterAll(() => broker.dispose())

  for (const type of ['classic', 'quorum'])
    it(`goes back to its ${type} queue with what came after it, in order, and other queues don't notice`, async () => {
      if (type === 'classic' && (await isRabbitmq(4, 3))) return expectToStay()
      const [slow, steady] = [await client.queue({ 'x-queue-type': type }), await client.queue()]
      const steps: string[] = []
      let redelivered = 0
      const app = new OfflineApp('spec')
      app.task('spec.slow', { bind: true, acksLate: true, orderBy: 'args.1' }, async (self, n: number, key: string) => {
        steps.push(`${key}${n} begins`)
        if (key === 'a' && n === 1 && !steps.includes('a1 is stopped')) {
          await new Promise((resolve) => self.signal.addEventListener('abort', resolve))
          steps.push('a1 is stopped')
          throw self.signal.reason
        }
        steps.push(`${key}${n} ends`)
      })
      app.task('spec.steady', { bind: true, acksLate: true, orderBy: 'args.0' }, async (self, _key: string) => {
        if (self.request.deliveryInfo.redelivered) redelivered++
        steps.push('steady')
      })
      const started = await startWorker(app, broker.url, [slow, steady], { concurrency: 4, without_mingle: true })
      ;({ log, worker } = started)
      const publish = (key: string, count: number): Promise<void> =>
        client.publish(
          slow,
          Array.from({ length: count }, (_, at) => taskMessage('spec.slow', { args: [at + 1, key] })),
        )
      await publish('a', 3)
      await publish('b', OTHERS)
      const isBack = (): boolean => steps.includes('a3 ends')
      let sent = 0
      while (!isBack()) {
        await client.publish(steady, [taskMessage('spec.steady', { args: ['s'] })])
        sent++
        const ran = (): number => steps.filter((step) => step === 'steady').length
        await waitFor(() => ran() === sent, { what: 'the other queue to be served' })
      }
      await waitFor(() => steps.includes(`b${OTHERS} ends`), { what: 'the last task to end' })
      await waitFor(async () => (await client.depth(slow)) === 0 && started.worker.line.state.requests.size === 0, {
        what: 'nothing to be left',
      })
      const ofA = steps.filter((step) => step.startsWith('a'))
      expect(ofA).toEqual(['a1 begins', 'a1 is stopped', ...[1, 2, 3].flatMap((n) => [`a${n} begins`, `a${n} ends`])])
      expect(new Set(steps.filter((step) => /^b.* ends$/.test(step))).size).toBe(OTHERS)
      expect(redelivered).toBe(0)
      expect(log.of('INFO').filter((line) => line.endsWith(' ready.'))).toHaveLength(1)
      expect(log.of('WARNING')).toContainEqual(
        expect.stringMatching(/^The broker took back the messages of .*; .*consumer_timeout/),
      )
    })

  /** A quorum queue's message, which does go back, says when the time is over. */
  async function expectToStay(): Promise<void> {
    const queues = [await client.queue(), await client.queue({ 'x-queue-type': 'quorum' })]
    const steps: string[] = []
    let release = (): void => undefined
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const app = new OfflineApp('spec')
    app.task('spec.hold', { bind: true, acksLate: true, orderBy: 'args.0' }, async (self, key: string) => {
      steps.push(`${key} begins`)
      const stopped = new Promise((resolve) => self.signal.addEventListener('abort', () => resolve('stopped')))
      steps.push(`${key} ${(await Promise.race([released, stopped])) ?? 'ends'}`)
      self.signal.throwIfAborted()
    })
    ;({ log, worker } = await startWorker(app, broker.url, queues))
    for (const [at, queue] of queues.entries())
      await client.publish(queue, [taskMessage('spec.hold', { args: [at === 0 ? 'classic' : 'quorum'] })])
    await waitFor(() => steps.includes('quorum stopped'), { what: "the quorum queue's message to go back" })
    release()
    await waitFor(() => ['classic ends', 'quorum ends'].every((step) => steps.includes(step)), { what: 'both to end' })
    expect(steps.filter((step) => step.startsWith('classic'))).toEqual(['classic begins', 'classic ends'])
  }
})
