import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Client } from '../support/client.js'
import { type Link, openLink } from '../support/link.js'
import { taskMessage } from '../support/message.js'
import { killAllPrograms, type Program } from '../support/program.js'
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.js'
import { type Redis, startRedis } from '../support/redis.js'
import { brokerUrl } from '../support/services.js'
import { ended, readSteps } from '../support/steps.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

/** TERM ends a worker whatever the services around it do. A worker that waits for them reaches the time limit of the run. */
describe('a warm stop', () => {
  let client: Client
  let queue: string
  let dir: string
  let trace: string
  const leave: Array<() => Promise<void>> = []

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    dir = await mkdtemp(join(tmpdir(), 'celeriac-spec-'))
    trace = join(dir, 'steps.jsonl')
  })

  afterEach(async () => {
    await killAllPrograms()
    await client.close()
    for (const each of leave.splice(0)) await each()
    await rm(dir, { recursive: true })
  })

  const begun = () => readSteps(trace).filter(({ event }) => event === 'begin').length
  const late = (n: number, ms: number) => taskMessage('steps.step', { kwargs: { n, key: `k${n}`, ms } })
  const early = (n: number, ms: number) => taskMessage('steps.loose', { kwargs: { n, ms } })

  const start = (url: string, env: Record<string, string> = {}, args: string[] = []): Promise<Program> =>
    startWorkerProgram({
      brokerUrl: url,
      args: [...(args.includes('-Q') ? [] : ['-Q', queue]), '-c', '4', '--without-mingle', ...args],
      env: { STEPS_TRACE: trace, ...env },
    })

  /** A way to the broker that a spec can break. */
  async function linked(): Promise<{ link: Link; url: string }> {
    const { port } = new URL(brokerUrl())
    const link = await openLink(Number(port))
    leave.push(() => link.close())
    return { link, url: brokerUrl().replace(`:${port}`, `:${link.port}`) }
  }

  async function endsByItself(worker: Program): Promise<void> {
    worker.kill('SIGTERM')
    await worker.waitForOutput(/worker: Warm shutdown \(MainProcess\)/)
    expect(await worker.exited).toEqual({ code: 0, signal: null })
  }

  describe('without Redis', () => {
    let redis: Redis

    beforeEach(async () => {
      redis = await startRedis()
      leave.push(() => redis.dispose())
    })

    it('gives back what could not be stored, and says what is lost', async () => {
      const worker = await start(brokerUrl(), { CELERY_RESULT_BACKEND: redis.url })
      await redis.kill()
      await client.publish(queue, [late(1, 0), early(2, 0)])
      await waitFor(() => ended(readSteps(trace)).size === 2, { what: 'both tasks to have run' })
      await endsByItself(worker)
      await waitFor(async () => (await client.depth(queue)) === 1, { what: 'the late one to be back' })
      expect(worker.stderr).toMatch(
        /steps\.step\[.*ended with SUCCESS, but this could not be stored or sent: .* was not stored: Redis: /,
      )
      expect(worker.stderr).toMatch(/steps\.step\[.*The message goes back to its queue, and the task runs again/)
      expect(worker.stderr).toMatch(/steps\.loose\[.*acknowledged before the run, so its outcome is lost/)
      expect(worker.stderr).not.toContain('INTERNAL ERROR')
    })

    it('waits for what still runs all the same', async () => {
      const worker = await start(brokerUrl(), { CELERY_RESULT_BACKEND: redis.url })
      await client.publish(queue, [late(1, 13_000)])
      await waitFor(() => begun() === 1, { what: 'the task to run' })
      await redis.kill()
      await endsByItself(worker)
      expect(ended(readSteps(trace)).size).toBe(1)
      await waitFor(async () => (await client.depth(queue)) === 1, { what: 'its message to be back' })
    })
  })

  it('ends although the broker has gone silent', async () => {
    const { link, url } = await linked()
    const worker = await start(url)
    await client.publish(queue, [late(1, 1000)])
    await waitFor(() => begun() === 1, { what: 'the task to run' })
    link.stall()
    await endsByItself(worker)
    expect(ended(readSteps(trace)).size).toBe(1)
    expect(worker.stderr).toContain('The broker did not confirm within 5 s that the consumers are cancelled')
  })

  it('ends although the broker has gone, while a task waits to send', async () => {
    const { link, url } = await linked()
    const worker = await start(url, { STEPS_QUEUE: queue })
    await client.publish(queue, [taskMessage('steps.send', { kwargs: { n: 1, ms: 1000 } })])
    await waitFor(() => begun() === 1, { what: 'the task to run' })
    link.refuse()
    link.cut()
    await worker.waitForOutput(/Connection to broker lost/)
    await endsByItself(worker)
    await waitFor(async () => (await client.depth(queue)) === 1, { what: 'its message to be back' })
  })

  it('takes nothing more on a connection that comes back while the last task runs', async () => {
    const { link, url } = await linked()
    const worker = await start(url)
    await client.publish(queue, [early(1, 600_000)])
    await waitFor(() => begun() === 1, { what: 'the task to run' })
    worker.kill('SIGTERM')
    await worker.waitForOutput(/worker: Warm shutdown \(MainProcess\)/)
    await waitFor(async () => (await client.consumers(queue)) === 0, { what: 'the consumers to be cancelled' })
    await client.publish(queue, [early(2, 0), early(3, 0)])
    // Each connection has begun to be used by the time that it is cut.
    for (let times = 2; times <= 4; times++) {
      link.cut()
      await waitFor(() => worker.output.split('Connected to amqp').length > times, { what: 'the next connection' })
    }
    worker.kill('SIGQUIT')
    await worker.exited
    expect(await client.redelivered(queue)).toEqual([false, false])
    expect(worker.output.match(/ ready\./g)).toHaveLength(1)
  })

  describe('with a broker that is short of memory', () => {
    let broker: Rabbitmq

    beforeEach(async () => {
      broker = await startRabbitmq()
      leave.push(() => broker.dispose())
    })

    it('gives back a task that waits to send', async () => {
      const own = await Client.open(broker.url)
      const ownQueue = await own.queue()
      await own.publish(ownQueue, [taskMessage('steps.send', { kwargs: { n: 1, ms: 0 } })])
      await broker.ctl('set_vm_memory_high_watermark', '0.000001')
      const worker = await start(broker.url, { STEPS_QUEUE: queue }, ['-Q', ownQueue])
      await worker.waitForOutput(/producer: the broker has blocked this connection/)
      await endsByItself(worker)
      expect(ended(readSteps(trace)).size).toBe(0)
      await waitFor(async () => (await own.depth(ownQueue)) === 1, { what: 'its message to be back' })
      await own.leave()
    })
  })
})
