import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { systemClock } from '../../lib/clock.js'
import type { Columns } from '../../lib/health/history.js'
import { pageRoutes, readPage } from '../../lib/health/page.js'
import { HttpServer } from '../../lib/health/server.js'
import { type Answer, ask } from '../support/ask.js'
import { MemoryLog } from '../support/memoryLog.js'
import { OfflineApp } from '../support/offlineLine.js'
import { offlineSource } from './snapshotSource.js'

describe('the page', () => {
  const { html, policy } = readPage()
  const between = (tag: string): string[] =>
    [...html.matchAll(new RegExp(`<${tag}[^>]*>([\\s\\S]*?)</${tag}>`, 'g'))].map(([, text = '']) => text)

  it('is one response: nothing in it is fetched from anywhere', () => {
    expect([...html.matchAll(/\ssrc=/g)]).toEqual([])
    expect([...html.matchAll(/<link[^>]*href="([^"]{0,5})/g)].map(([, start]) => start)).toEqual(['data:'])
    expect(html.match(/@import|url\((?!#)/g)).toBeNull()
    const links = [...html.matchAll(/<a[^>]*href="([^"]*)"/g)].map(([, to]) => to)
    expect(links.filter((to) => !/^[#/]/.test(to ?? ''))).toEqual([])
  })

  it('has one style and one script, whose modules have become one', () => {
    expect(between('style')).toHaveLength(1)
    const [script = '', ...others] = between('script')
    expect(others).toEqual([])
    expect(script.match(/^(?:import|export)\b.*/gm)).toBeNull()
    for (const part of ['slot-chart', 'live-table', 'control-dialog']) {
      expect(script).toContain(`customElements.define('${part}'`)
    }
  })

  it('writes text only, never markup', () => {
    const [script] = between('script')
    const markup = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser/g
    expect(script?.match(markup)).toBeNull()
  })

  it('may run its own style and script, by their hashes, and nothing else', () => {
    const hashOf = (text = ''): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `script-src ${hashOf(between('script')[0])}`,
      `style-src ${hashOf(between('style')[0])}`,
      'img-src data:',
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ])
    expect(html.match(/\s(?:style|on\w+)="/g)).toBeNull()
  })

  it('shows two minutes at first, in which a burst is no hair', () => {
    const checked = [...html.matchAll(/<input type="radio" name="range" value="(\d+)" checked/g)].map(([, ms]) => ms)
    expect(checked).toEqual(['120000'])
    expect(between('script')[0]).toMatch(/#rangeMs = 120_000$/m)
  })

  it('has its landmarks, and a heading for each table', () => {
    for (const landmark of ['<header>', '<main id="main"', '<footer>', 'class="skip" href="#main"']) {
      expect(html).toContain(landmark)
    }
    const ids = new Set([...html.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id))
    const tables = [...html.matchAll(/<table([^>]*)>/g)]
    expect(tables).toHaveLength(11)
    for (const [, attributes = ''] of tables) {
      expect(ids).toContain(/aria-labelledby="([^"]+)"/.exec(attributes)?.[1])
    }
  })
})

describe('the routes of the page', () => {
  const asked: number[] = []
  const none: Columns = {
    at: [],
    slots: [],
    busy: [],
    waiting: [],
    parked: [],
    loop: [],
    received: [],
    done: [],
    failed: [],
  }
  const app = new OfflineApp('spec')
  let server: HttpServer

  beforeAll(async () => {
    const history = {
      since: (at: number) => {
        asked.push(at)
        return none
      },
    }
    const routes = pageRoutes({ source: offlineSource(app).source, history, controls: ['unblock'] })
    const log = new MemoryLog()
    server = new HttpServer({ address: { host: '127.0.0.1', port: 0 }, routes, asked: true, clock: systemClock, log })
    await server.start()
  })

  afterAll(() => server.stop())

  const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
    ask(server.address?.port ?? 0, path, { headers })

  it('give the page with its policy', async () => {
    const { body, headers, status } = await get('/')
    const { html, policy } = readPage()
    expect({ status, body }).toEqual({ status: 200, body: html })
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    })
  })

  it('send the page again only when it has changed', async () => {
    const { headers } = await get('/')
    expect(await get('/', { 'if-none-match': headers.etag ?? '' })).toMatchObject({ status: 304, body: '' })
    expect(await get('/', { 'if-none-match': '"other"' })).toMatchObject({ status: 200 })
  })

  it('give the snapshot with all samples, or those after a time', async () => {
    asked.length = 0
    const { body, headers, status } = await get('/api/snapshot')
    expect(status).toBe(200)
    expect(headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
    expect(JSON.parse(body)).toMatchObject({
      worker: { nodename: 'w@spec' },
      controls: ['unblock'],
      history: none,
    })
    await get('/api/snapshot?since=1700000000000')
    await get('/api/snapshot?since=yesterday')
    expect(asked).toEqual([0, 1_700_000_000_000, 0])
  })
})
