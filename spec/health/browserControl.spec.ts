import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Browser } from 'playwright-core'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { taskMessage } from '../support/message.js'
import { Gated, OfflineApp } from '../support/offlineLine.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'
import { startChromium } from './chromium.js'
import { expectText, type Opened, rows, serve } from './openedPage.js'

const HOSTILE = '<img src=x onerror="document.title=`owned`">'
const TOKEN = 'the-token-of-the-spec'

let browser: Browser
let client: Client

beforeAll(async () => {
  client = await Client.open(brokerUrl())
  browser = await startChromium()
})

afterAll(async () => {
  await browser?.close()
  await client?.close()
})

describe('the page with control', () => {
  const app = new OfflineApp('plant')
  const gated = new Gated()
  app.task('builds.publish', { orderBy: 'args.0', orderOnFailure: 'block' }, gated.run)
  app.task('builds.wait', { bind: true }, (self: { signal: AbortSignal }) =>
    sleep(600_000, null, { signal: self.signal }),
  )
  let queue: string
  let worker: Worker
  let opened: Opened

  beforeAll(async () => {
    const config = { worker_http_control: true, worker_http_token: TOKEN, worker_concurrency: 4 }
    ;({ queue, worker, opened } = await serve(browser, client, app, config))
  })

  afterAll(() => worker?.stop())

  it('asks for the token, says when it is wrong, and keeps the right one in this tab only', async () => {
    const { overheard, page } = opened
    const dialog = page.getByRole('dialog')
    await page.getByRole('button', { name: 'More slots…' }).click()
    await dialog.getByLabel('Slots to open').fill('3')
    await dialog.getByLabel('Token').fill('a guess')
    await dialog.getByRole('button', { name: 'Open slots' }).click()
    await expectText(dialog.getByRole('alert'), 'the token is wrong')
    expect(worker.line.pool.size).toBe(4)
    await dialog.getByLabel('Token').fill(TOKEN)
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'hidden' })
    expect(worker.line.pool.size).toBe(7)
    expect(await page.evaluate('[...Object.values(sessionStorage)]')).toEqual([TOKEN])
    expect(await page.evaluate('[document.cookie, localStorage.length]')).toEqual(['', 0])
    await page.getByRole('button', { name: 'Fewer slots…' }).click()
    expect(await dialog.getByLabel('Token').isVisible()).toBe(false)
    await dialog.getByRole('button', { name: 'Close slots' }).click()
    await dialog.waitFor({ state: 'hidden' })
    expect(worker.line.pool.size).toBe(6)
    expect(overheard.said).toEqual([expect.stringContaining('401')])
    overheard.said.length = 0
  })

  it('shows what the worker says against it', async () => {
    const { overheard, page } = opened
    const dialog = page.getByRole('dialog')
    await page.getByRole('button', { name: 'Fewer slots…' }).click()
    await dialog.getByLabel('Slots to close').fill('60')
    await dialog.getByRole('button', { name: 'Close slots' }).click()
    await expectText(dialog.getByRole('alert'), /one has to be left/)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    expect(worker.line.pool.size).toBe(6)
    overheard.said.length = 0
  })

  it('unblocks a key, stops a task, and takes and leaves a queue', async () => {
    const { overheard, page } = opened
    const dialog = page.getByRole('dialog')
    await client.publish(queue, [taskMessage('builds.publish', { args: [HOSTILE] })])
    await waitFor(() => gated.started.length === 1, { what: 'the task to run' })
    gated.fail(HOSTILE, new Error('no'))
    await page.getByRole('button', { name: `Unblock ${HOSTILE}` }).click()
    await dialog.getByRole('button', { name: 'Unblock' }).click()
    await page.locator('#lanes .empty').waitFor()
    expect([...worker.line.lanes]).toEqual([])

    await client.publish(queue, [taskMessage('builds.wait', { id: 'slow' })])
    await page.getByRole('button', { name: 'Stop builds.wait slow' }).click()
    await dialog.getByRole('button', { name: 'Stop the task' }).click()
    await page.locator('#running .empty').waitFor()
    expect(worker.line.state.endings.get('revoked')).toBe(1)

    const other = await client.queue()
    await page.getByRole('button', { name: 'Consume from a queue…' }).click()
    await dialog.getByLabel('Queue').fill(other)
    await dialog.getByRole('button', { name: 'Consume' }).click()
    await expectText(rows(page, 'queues').nth(1), other)
    await waitFor(async () => (await client.consumers(other)) > 0, { what: 'a consumer' })
    await page.getByRole('button', { name: `Stop consuming from ${other}` }).click()
    await dialog.getByRole('button', { name: 'Stop consuming' }).click()
    await waitFor(async () => (await rows(page, 'queues').count()) === 1, { what: 'it to be gone' })
    await waitFor(async () => (await client.consumers(other)) === 0, { what: 'no consumer' })
    expect(overheard.said).toEqual([])
  })
})
