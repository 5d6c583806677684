import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { connect } from 'amqplib'
import { type Answer, ask } from '../support/ask.js'
import { Client } from '../support/client.js'
import { taskMessage } from '../support/message.js'
import { killAllPrograms, type Program } from '../support/program.js'
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.js'
import { bestOf } from '../support/rounds.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

const ROUNDS = 5
/** How often readiness may be asked before it knows what a bare connection knows. */
const MOST_ASKED = 50

describe('the probes of a running worker', () => {
  let broker: Rabbitmq
  let client: Client
  let queue: string

  beforeAll(async () => {
    broker = await startRabbitmq()
    client = await Client.open(broker.url)
    queue = await client.queue()
  })

  afterEach(killAllPrograms)

  afterAll(async () => {
    await client.close().catch(() => undefined)
    await broker.dispose()
  })

  async function start(...args: string[]): Promise<{ worker: Program; port: number }> {
    const worker = await startWorkerProgram({
      brokerUrl: broker.url,
      args: ['-Q', queue, '--http', '127.0.0.1:0', ...args],
    })
    const [, port] = await worker.waitForOutput(/HTTP on 127\.0\.0\.1:(\d+)/)
    return { worker, port: Number(port) }
  }

  /** Asks again and again until `until` holds. @returns how long each answer took, the slowest first */
  async function pollLiveness(port: number, until: () => Promise<boolean>): Promise<number[]> {
    const took: number[] = []
    do {
      const { status, tookMs } = await ask(port, '/livez')
      expect(status).toBe(200)
      took.push(tookMs)
    } while (!(await until()))
    return took.sort((one, other) => other - one)
  }

  /** @returns how often it was asked */
  async function untilReady(port: number, ready: boolean): Promise<number> {
    let asked = 0
    const isSo = async (): Promise<boolean> => {
      asked++
      return (await ask(port, '/readyz')).status === (ready ? 200 : 503)
    }
    await waitFor(isSo, { what: `readiness to be ${ready}` })
    return asked
  }

  it('liveness answers under full load while no more than a hundredth of it is done', async () => {
    const measure = async (): Promise<number> => {
      // Before it starts: it would run them as fast as they are published.
      await client.publish(
        queue,
        Array.from({ length: 30_000 }, (_, n) => taskMessage('tasks.add', { args: [n, 1] })),
      )
      const { port } = await start('-c', '64')
      const since = performance.now()
      const took = await pollLiveness(port, async () => (await client.depth(queue)) === 0)
      const allMs = performance.now() - since
      await killAllPrograms()
      // One in a hundred may be the fault of the machine.
      return (took[Math.floor(took.length / 100)] ?? Number.NaN) / allMs
    }
    expect(await bestOf(ROUNDS, measure, (share) => share < 0.01)).toBeLessThan(0.01)
  })

  it('readiness follows the loss of the broker and its return, and liveness takes no notice', async () => {
    const { port, worker } = await start('-c', '2')
    expect(await ready(port)).toEqual({ ready: true, reasons: [] })
    const bare = await connect(broker.url)
    bare.on('error', () => undefined)
    const closed = new Promise((resolve) => bare.once('close', resolve))
    await broker.kill()
    await closed
    expect(await untilReady(port, false)).toBeLessThanOrEqual(MOST_ASKED)
    expect((await ready(port)).reasons).toEqual(['it takes no messages: not connected to the broker'])
    let asked = 0
    await pollLiveness(port, async () => ++asked >= 100)

    const linesBefore = worker.output.split(' ready.').length
    await broker.start()
    await waitFor(() => worker.output.split(' ready.').length > linesBefore, {
      what: 'it to consume',
    })
    expect(await untilReady(port, true)).toBeLessThanOrEqual(MOST_ASKED)
    client = await Client.open(broker.url)
    await waitFor(async () => (await client.consumers(queue)) > 0, { what: 'consumers' })
  })

  it('readiness ends with the signal to stop, while what runs goes on and liveness answers', async () => {
    const { port, worker } = await start('-c', '2')
    await client.publish(queue, [taskMessage('steps.step', { kwargs: { n: 1, key: 'k', ms: 3_000 } })])
    await waitFor(async () => (await metric(port, 'celery_worker_slots_busy')) === 1, {
      what: 'the task to run',
    })
    worker.kill('SIGTERM')
    await worker.waitForOutput(/Warm shutdown/)
    const answer = await ask(port, '/readyz')
    expect(answer.status).toBe(503)
    expect(JSON.parse(answer.body).reasons).toEqual(['it is stopping'])
    expect((await ask(port, '/livez')).status).toBe(200)
    expect(await worker.exited).toEqual({ code: 0, signal: null })
  })

  it('a second worker runs on without the address that the first one has', async () => {
    const { port } = await start()
    const second = await startWorkerProgram({
      brokerUrl: broker.url,
      args: ['-Q', queue, '--http', `127.0.0.1:${port}`],
    })
    expect(second.output).toContain(`HTTP: 127.0.0.1:${port} is in use.`)
  })

  it('without HTTP nothing listens', async () => {
    const worker = await startWorkerProgram({ brokerUrl: broker.url, args: ['-Q', queue, '--without-http'] })
    expect(worker.output).not.toContain('HTTP on')
  })

  async function ready(port: number): Promise<{ ready: boolean; reasons: string[] }> {
    const { body } = await ask(port, '/readyz')
    const { ready, reasons } = JSON.parse(body)
    return { ready, reasons }
  }
})

async function metric(port: number, name: string): Promise<number> {
  const { body }: Answer = await ask(port, '/metrics')
  return Number(new RegExp(`^${name}(?:{[^}]*})? (.*)$`, 'm').exec(body)?.[1])
}
