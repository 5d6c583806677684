import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { laneName, laneOf } from '../../lib/fleet/laneOf.js'
import type { Worker } from '../../lib/worker/worker.js'
import { ask } from '../support/ask.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { taskMessage } from '../support/message.js'
import { Gated, OfflineApp } from '../support/offlineLine.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'
import { startChromium } from './chromium.js'
import { expectText, open, rows } from './openedPage.js'

const LANES = 4
const KEY = 'build-7'

describe('a fleet of two workers', () => {
  const tasks = new Gated()
  const workers: Worker[] = []
  let browser: Browser
  let client: Client
  let queue: string

  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    browser = await startChromium()
    queue = await client.queue()
    for (let n = 0; n < 2; n++) {
      const app = new OfflineApp('plant')
      app.task('builds.watch', { orderBy: 'args.1' }, tasks.run)
      const config = {
        worker_http: '127.0.0.1:0',
        worker_concurrency: 1,
        worker_parked_limit: 1,
        worker_fleet_queues: [queue],
        worker_fleet_lanes: LANES,
      }
      workers.push((await startWorker(app, brokerUrl(), queue, config)).worker)
    }
    await waitFor(async () => (await metrics('celery_worker_fleet_lanes')).join() === '2,2', {
      what: 'each worker to hold half of the lanes',
    })
    await client.publish(
      queue,
      Array.from({ length: 6 }, (_, n) => taskMessage('builds.watch', { args: [`${n}`, KEY] })),
    )
    await waitFor(() => tasks.started.length === 1, { what: 'the first task of the key to run' })
  })

  afterAll(async () => {
    await browser?.close()
    await Promise.all(workers.map((worker) => worker.terminate()))
    for (let lane = 0; lane < LANES; lane++) await client.deleteQueue(laneName(queue, lane))
    await client.deleteExchange(`${queue}.fleet`)
    await client.close()
  })

  /** The values of a family of this queue, or of one of its lanes, in all workers that report it. */
  async function metrics(family: string, name = queue): Promise<number[]> {
    const texts = await Promise.all(workers.map(({ probes }) => ask(probes.address?.port ?? 0, '/metrics')))
    return texts.flatMap(({ body }) =>
      body
        .split('\n')
        .filter((line) => line.startsWith(`${family}{`) && line.includes(`queue_name="${name}"`))
        .map((line) => Number(line.split(' ').at(-1))),
    )
  }

  it('tells Prometheus of the queue and its lanes, apart and as one, once each', async () => {
    const lane = laneName(queue, laneOf(KEY, LANES))
    const ready = async (): Promise<number> => Math.max(...(await metrics('celery_queue_length', lane)))
    await waitFor(async () => (await ready()) > 0, { what: 'the depth of the lane to be known' })
    const waiting = async (): Promise<string> => String(await client.depth(lane))
    await waitFor(async () => (await metrics('celery_fleet_queue_length')).join() === (await waiting()), {
      what: 'the depth of the whole to be known, by the worker with the mover',
    })
    expect(await metrics('celery_queue_length')).toEqual([0])
    expect((await metrics('celery_worker_fleet_mover')).sort()).toEqual([0, 1])
    await waitFor(async () => (await metrics('celery_worker_fleet_moved_total')).sort().join() === '0,6', {
      what: 'all messages to be moved',
    })
  })

  it('is shown on the page: workers, lanes, depths, and why lanes moved', async () => {
    const [first] = workers
    if (!first) throw new Error('no worker')
    const { overheard, page } = await open(browser, first)
    await expectText(page.locator('#fleet-facts'), `${queue}: 2 workers share ${LANES} lanes.`)
    await waitFor(async () => (await rows(page, 'fleet-members').count()) === 2, { what: 'both members' })
    expect(await rows(page, 'fleet-lanes').count()).toBe(LANES)
    expect(await rows(page, 'fleet-lanes').filter({ hasText: 'held here' }).count()).toBe(LANES / 2)
    expect(await rows(page, 'fleet-changes').filter({ hasText: 'started' }).count()).toBeGreaterThan(0)
    expect(overheard.said).toEqual([])
  })
})
