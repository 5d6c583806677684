import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { Browser } from 'playwright-core'
import type { Worker } from '../../lib/worker/worker.js'
import { ask } from '../support/ask.js'
import { Client } from '../support/client.js'
import { taskMessage } from '../support/message.js'
import { Gated, OfflineApp } from '../support/offlineLine.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'
import { FAINT_TEXTS, startChromium } from './chromium.js'
import { expectText, type Opened, open, rows, serve, tile } from './openedPage.js'
import { takePicture } from './picture.js'

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

describe('the page in a browser', () => {
  const app = new OfflineApp('plant')
  const gated = new Gated()
  app.task('reports.send', async (ms: number) => void (await sleep(ms)))
  app.task('builds.watch', { orderBy: 'args.0' }, gated.run)
  app.task('builds.publish', { orderBy: 'args.0', orderOnFailure: 'block' }, gated.run)
  let queue: string
  let worker: Worker
  let opened: Opened

  beforeAll(async () => {
    const config = { worker_autoscale: '24,2', worker_autoscale_keepalive: 1, worker_http_token: TOKEN }
    ;({ queue, worker, opened } = await serve(browser, client, app, config))
  })

  afterEach(() => {
    const { asked, said } = opened.overheard
    expect(said).toEqual([])
    expect(asked.filter((url) => !url.startsWith(`${opened.origin}/`) && !url.startsWith('data:'))).toEqual([])
  })

  afterAll(() => worker?.stop())

  it('shows how the slots follow the queue, up and down, and why', async () => {
    const { page } = opened
    expect([await tile(page, 'slots'), await tile(page, 'waiting')]).toEqual([2, 0])
    await client.publish(
      queue,
      Array.from({ length: 1200 }, () => taskMessage('reports.send', { args: [100] })),
    )
    await waitFor(async () => (await tile(page, 'slots')) === 24 && (await tile(page, 'waiting')) > 50, {
      what: 'all slots to be shown while the queue is long',
    })
    await expectText(rows(page, 'decisions').filter({ hasText: 'To clear the backlog in time' }).first(), /24To/)
    await waitFor(async () => (await tile(page, 'slots')) === 2 && (await tile(page, 'waiting')) === 0, {
      what: 'the slots to be as few as before',
    })
    await expectText(rows(page, 'decisions').first(), /→ 2Not needed any more/)
    expect(await page.locator('[data-note="done"]').textContent()).toBe('1,200 succeeded')
    const heights = async (curve: string): Promise<number> => {
      const d = (await page.locator(`slot-chart path.line.${curve}`).getAttribute('d')) ?? ''
      return new Set([...d.matchAll(/(?:V|[ML][\d.]+ )([\d.]+)/g)].map(([, y]) => y)).size
    }
    expect(await heights('slots')).toBeGreaterThanOrEqual(2)
    expect(await heights('waiting')).toBeGreaterThanOrEqual(2)
    await waitFor(async () => (await page.locator('slot-chart circle.decision').count()) >= 2, {
      what: 'the chart to mark the decisions, which it does with the next sample',
    })
  })

  it('shows what was before it was opened', async () => {
    const later = await open(browser, worker)
    const line = later.page.locator('slot-chart path.line.slots')
    await line.waitFor({ state: 'attached' })
    expect((await line.getAttribute('d'))?.match(/V/g)?.length).toBeGreaterThan(5)
    await later.page.close()
    expect(later.overheard.said).toEqual([])
  })

  it('shows running tasks, order keys, failures with their tracebacks, tasks and what was rejected, and takes no name for markup', async () => {
    const { page } = opened
    const deliver = (task: string, key: string) =>
      client.publish(queue, [taskMessage(task, { id: `${task}/${key}`, args: [key] })])
    await deliver('builds.watch', HOSTILE)
    await deliver('builds.watch', 'copr-1')
    await expectText(rows(page, 'running').filter({ hasText: 'builds.watch/copr-1' }), /builds\.watch.*copr-1/)
    await expectText(rows(page, 'running').filter({ hasText: HOSTILE }), HOSTILE)
    await expectText(rows(page, 'lanes').filter({ hasText: HOSTILE }), `${HOSTILE}1`)
    gated.fail(HOSTILE, new TypeError(HOSTILE))
    await expectText(rows(page, 'failures').filter({ hasText: 'TypeError' }), `TypeError('${HOSTILE}')`)
    const failure = rows(page, 'failures').filter({ hasText: 'TypeError' })
    expect(await failure.locator('pre').isVisible()).toBe(false)
    await failure.getByText('Traceback', { exact: true }).click()
    await expectText(failure.locator('pre'), `TypeError: ${HOSTILE}`)
    await expectText(rows(page, 'tasks').filter({ hasText: 'builds.watch' }), /^builds\.watch21––$/)
    expect(await failure.locator('pre').isVisible()).toBe(true)
    await client.publish(queue, [taskMessage(HOSTILE)])
    await expectText(rows(page, 'rejected'), /^No task of this name1$/)
    await deliver('builds.publish', 'v1')
    await waitFor(() => gated.started.includes('v1'), { what: 'the task to run' })
    gated.fail('v1', new RangeError('no such release'))
    await expectText(rows(page, 'lanes').first(), /^v10–blocked/)
    expect(await page.title()).toContain(worker.name)
    expect(await page.locator('img').count()).toBe(0)
    gated.end('copr-1')
    await page.locator('#running .empty').waitFor()
  })

  it('finds a task by its id: in hand, failed, and unknown', async () => {
    const { page } = opened
    const find = async (id: string): Promise<void> => {
      await page.getByLabel('Id of the task').fill(id)
      await page.getByRole('button', { name: 'Find', exact: true }).click()
    }
    const found = page.locator('task-search output')
    await client.publish(queue, [taskMessage('builds.watch', { id: 'sought', args: ['copr-2'] })])
    await waitFor(() => gated.started.includes('copr-2'), { what: 'the task to run' })
    await find(' sought ')
    await expectText(found, /^This worker has this task: builds\.watch of queue .* runs, for .*, order key copr-2\.$/)
    gated.fail('copr-2', new TypeError(HOSTILE))
    await expectText(rows(page, 'failures').filter({ hasText: 'sought' }), HOSTILE)
    await find('sought')
    await expectText(found, `builds.watch failed here at`)
    await expectText(found, HOSTILE)
    await find('never')
    await expectText(found, 'This worker does not have this task, and no result of it is known.')
  })

  it('is legible in light and dark', async () => {
    const { page } = opened
    const backgrounds: unknown[] = []
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      backgrounds.push(await page.evaluate('getComputedStyle(document.body).backgroundColor'))
      expect(await page.evaluate(FAINT_TEXTS)).toEqual([])
    }
    expect(backgrounds).toEqual(['rgb(246, 246, 243)', 'rgb(17, 17, 15)'])
    await page.emulateMedia({ colorScheme: null, reducedMotion: null })
  })

  it('fits a phone, without scrolling sideways', async () => {
    const { page } = opened
    await page.setViewportSize({ width: 360, height: 740 })
    expect(await page.evaluate('[innerWidth, document.documentElement.scrollWidth]')).toEqual([360, 360])
    const wide = `[...document.querySelectorAll('main *')].filter((element) => {
      const { left, right, width } = element.getBoundingClientRect()
      return width > 1 && element.checkVisibility() && !element.closest('svg, .hidden, thead') && (left < 0 || right > 360)
    }).map(({ outerHTML }) => outerHTML.slice(0, 80))`
    expect(await page.evaluate(wide)).toEqual([])
    expect(await page.locator('slot-chart').boundingBox()).toMatchObject({ height: expect.any(Number) })
    // The rows are still rows of a table to whoever has them read out.
    expect(
      await page
        .getByRole('table', { name: /^Order keys/ })
        .getByRole('row')
        .count(),
    ).toBe(2)
    await page.setViewportSize({ width: 1280, height: 900 })
  })

  it('can be used with the keyboard alone, and shows where one is', async () => {
    const { page } = await open(browser, worker)
    const active = (what: string): Promise<unknown> =>
      page.evaluate(`(() => { const it = document.activeElement; return ${what} })()`)
    const outline = (of: string): Promise<unknown> => page.evaluate(`getComputedStyle(${of}).outlineStyle`)
    await page.keyboard.press('Tab')
    expect(await active('it.textContent')).toBe('Skip to the figures')
    await waitFor(async () => Number(await active('it.getBoundingClientRect().top')) >= 0, {
      what: 'the link to come into view',
    })
    await page.keyboard.press('Enter')
    expect(await active('it.id')).toBe('main')
    await page.keyboard.press('Tab')
    expect(await active('it.value')).toBe('120000')
    expect(await outline('document.activeElement.nextElementSibling')).toBe('solid')
    await page.keyboard.press('ArrowRight')
    expect(await active('it.value')).toBe('600000')
    await page.keyboard.press('Tab')
    expect(await active('it.localName')).toBe('slot-chart')
    expect(await outline('document.activeElement')).toBe('solid')
    const read = (): Promise<unknown> => active(`it.getAttribute('aria-valuetext')`)
    await page.keyboard.press('Home')
    const first = await read()
    expect(first).toMatch(/^\d\d:\d\d:\d\d: \d+ waiting, \d+ slots, \d+ busy, [\d.,]+ done and 0 failed per second$/)
    await page.keyboard.press('ArrowRight')
    expect(await read()).not.toBe(first)
    expect(await page.locator('slot-chart .moment').textContent()).toMatch(/^\d\d:\d\d:\d\d$/)
    await page.keyboard.press('Escape')
    expect(await page.locator('slot-chart .moment').textContent()).toBe('now')
    await page.close()
  })

  it('stands still for who wants no motion', async () => {
    const { page } = opened
    const moves = `getComputedStyle(document.querySelector('.skip')).transitionDuration`
    expect(await page.evaluate(moves)).not.toBe('0s')
    await page.emulateMedia({ reducedMotion: 'reduce' })
    expect(await page.evaluate(moves)).toBe('0s')
    await page.emulateMedia({ reducedMotion: null })
  })

  it('says once that the worker does not answer, and goes on when it does', async () => {
    const { overheard, page } = opened
    const status = page.locator('#announcement')
    expect(await status.textContent()).toBe('The worker is ready.')
    await page.evaluate(`window.said = []; new MutationObserver(() => said.push(announcement.textContent))
      .observe(announcement, { childList: true, characterData: true, subtree: true })`)
    await page.context().setOffline(true)
    await page.getByText(/^No answer since \d\d:\d\d:\d\d$/).waitFor()
    await waitFor(() => overheard.said.length >= 2, { what: 'a second poll to fail' })
    await page.context().setOffline(false)
    await page.locator('#state[data-tone="good"]').waitFor()
    expect(await page.evaluate('said')).toEqual(['The worker does not answer.', 'The worker is ready.'])
    expect(overheard.said.filter((text) => !text.includes('ERR_INTERNET_DISCONNECTED'))).toEqual([])
    overheard.said.length = 0
  })

  it('offers no action, nor takes one, unless control is on', async () => {
    const { page } = opened
    expect(await page.getByRole('button').allTextContents()).toEqual(['Find'])
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
    const { port = 0 } = worker.probes.address ?? {}
    expect(await ask(port, '/api/control/pool_grow', { method: 'POST', headers })).toMatchObject({ status: 404 })
  })
})

// For the README, and to be looked at: takes a minute and a half, and shows the time of day.
if (process.env.UPDATE_SCREENSHOT === '1') {
  describe('the page in a picture', () => {
    it('is written to deploy/page.png', () => takePicture(browser, client, brokerUrl()))
  })
}
