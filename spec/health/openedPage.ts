import type { Browser, Locator, Page } from 'playwright-core'
import type { App } from '../../lib/app/app.js'
import type { Worker } from '../../lib/worker/worker.js'
import type { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'
import { Overheard } from './chromium.js'

/** A page of a worker. */
export interface Opened {
  readonly page: Page
  readonly overheard: Overheard
  readonly origin: string
}

/** Starts a worker with a page and a queue of its own, and opens the page. */
export async function serve(
  browser: Browser,
  client: Client,
  app: App,
  config: Record<string, unknown>,
): Promise<{ queue: string; worker: Worker; opened: Opened }> {
  const queue = await client.queue()
  const { worker } = await startWorker(app, brokerUrl(), queue, { worker_http: '127.0.0.1:0', ...config })
  return { queue, worker, opened: await open(browser, worker) }
}

/** Opens the page of a worker and waits until it shows that it is ready. */
export async function open(browser: Browser, worker: Worker): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  const overheard = new Overheard(page)
  const origin = `http://127.0.0.1:${worker.probes.address?.port}`
  await page.goto(`${origin}/`)
  await page.locator('#state[data-tone="good"]').waitFor()
  return { page, overheard, origin }
}

/** The figure of a tile. */
export const tile = async (page: Page, name: string): Promise<number> =>
  Number((await page.locator(`[data-tile="${name}"]`).textContent())?.replaceAll(',', ''))
/** The rows of a table. */
export const rows = (page: Page, table: string): Locator => page.locator(`#${table} tbody tr`)

/** Waits until an element has a text, or part of one. */
export async function expectText(locator: Locator, text: string | RegExp): Promise<void> {
  await waitFor(
    async () => {
      const found = (await locator.count()) === 1 ? ((await locator.textContent()) ?? '') : ''
      return typeof text === 'string' ? found.includes(text) : text.test(found)
    },
    { what: `${text} to be shown` },
  )
}
