import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { loadSettings } from '../../lib/settings/load.js'
import { Worker } from '../../lib/worker/worker.js'
import type { Client } from '../support/client.js'
import { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { waitFor } from '../support/waitFor.js'

const FILE = fileURLToPath(new URL('../../deploy/page.png', import.meta.url))
const SHORT = 'short-running'
const LONG = 'long-running'

/** A service that hears of builds: what it does with them takes time, but hardly any work. */
function pictureApp(): OfflineApp {
  const app = new OfflineApp('packit')
  const params = ['build']
  app.task(
    'task.run_copr_build_start_handler',
    { orderBy: 'kwargs.build', params },
    async () => void (await sleep(260)),
  )
  app.task('task.run_copr_build_end_handler', { orderBy: 'kwargs.build', params }, async (build: number) => {
    await sleep(340)
    if (build % 61 === 0) throw new RangeError(`build ${build} was updated already`)
  })
  app.task('task.run_release_handler', { orderBy: 'args.0', orderOnFailure: 'block' }, (_tag: string) => {
    throw new TypeError('release v1.2.0 has no tag')
  })
  app.task('task.run_sync_from_downstream_handler', async () => void (await sleep(9_000)))
  return app
}

/** Pictures the page while a worker has a minute of bursts behind it, and the third one is on. */
export async function takePicture(browser: Browser, client: Client, brokerUrl: string): Promise<void> {
  const { settings } = loadSettings({
    config: { broker_url: brokerUrl, worker_http: '127.0.0.1:0', worker_autoscale_keepalive: 5 },
    env: {},
    flags: { queues: `${SHORT},${LONG}`, worker_autoscale: '32,2' },
  })
  const log = new MemoryLog()
  const worker = new Worker({ app: pictureApp(), settings, nodename: 'packit@worker-0', log: () => log })
  await worker.start()
  try {
    await waitFor(() => worker.readiness.length === 0, { what: 'the worker to consume' })
    const page = await browser.newPage({ viewport: { width: 1280, height: 1400 } })
    await page.goto(`http://127.0.0.1:${worker.probes.address?.port}/`)
    let build = 7_201_400
    const burst = (builds: number): Promise<void> => {
      const first = build
      build += builds
      const all = Array.from({ length: builds }, (_, n) => ({ kwargs: { build: first + n } }))
      return client.publish(SHORT, [
        ...all.map((options) => taskMessage('task.run_copr_build_start_handler', options)),
        ...all.map((options) => taskMessage('task.run_copr_build_end_handler', options)),
      ])
    }
    const release = taskMessage('task.run_release_handler', { args: ['v1.2.0'] })
    await sleep(3_000)
    await burst(90)
    await sleep(14_000)
    await client.publish(SHORT, [release, release])
    await burst(420)
    await sleep(22_000)
    await burst(30)
    await sleep(9_000)
    const sync = taskMessage('task.run_sync_from_downstream_handler')
    await client.publish(LONG, [sync, sync, sync])
    await burst(300)
    await sleep(4_500)
    const card = await page.locator('.card:has(#decisions)').boundingBox()
    if (!card) throw new Error('there is no table of decisions')
    await page.screenshot({ path: FILE, clip: { x: 0, y: 0, width: 1280, height: card.y + card.height + 14 } })
  } finally {
    await worker.stop()
    for (const queue of [SHORT, LONG]) await client.deleteQueue(queue)
  }
}
