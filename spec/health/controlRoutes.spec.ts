import { type IncomingHttpHeaders, request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { systemClock } from '../../lib/clock.js'
import { CONTROLS, controlRoutes } from '../../lib/health/controlRoutes.js'
import { HttpServer } from '../../lib/health/server.js'
import type { ControlRequest } from '../../lib/protocol/control.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'

const TOKEN = 'a-token-of-this-spec'
const HEADERS = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }

describe('control over HTTP', () => {
  const log = new MemoryLog()
  const asked: ControlRequest[] = []
  let clock: FakeClock
  let answer: unknown
  let server: HttpServer

  beforeEach(async () => {
    answer = { ok: 'done' }
    const panel = {
      answer: (request: ControlRequest) => {
        asked.push(request)
        return answer
      },
    }
    clock = new FakeClock()
    const routes = controlRoutes({ panel, token: TOKEN, clock, log })
    server = new HttpServer({ address: { host: '127.0.0.1', port: 0 }, routes, asked: true, clock: systemClock, log })
    await server.start()
  })

  afterEach(async () => {
    await server.stop()
    log.lines.length = 0
    asked.length = 0
  })

  function post(
    path: string,
    headers: Record<string, string>,
    chunks: readonly (string | Buffer)[],
  ): Promise<{ status: number; headers: IncomingHttpHeaders; value: unknown }> {
    const options = { host: '127.0.0.1', port: server.address?.port, path, method: 'POST', headers, agent: false }
    return new Promise((resolve, reject) => {
      const out = request(options, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text
        })
        response.on('end', () => {
          const isJson = response.headers['content-type']?.startsWith('application/json')
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            value: isJson ? JSON.parse(body) : body,
          })
        })
      }).on('error', reject)
      for (const chunk of chunks) out.write(chunk)
      out.end()
    })
  }

  it.each(CONTROLS)('hands %s and its arguments to the panel, and gives its answer', async (command) => {
    const given = { n: 2, queue: 'a', max: 4 }
    const { headers, status, value } = await post(`/api/control/${command}`, HEADERS, [JSON.stringify(given)])
    expect({ status, value }).toEqual({ status: 200, value: { ok: 'done' } })
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'application/json; charset=utf-8' })
    expect(asked).toMatchObject([{ method: command, arguments: given }])
  })

  it('offers no other command', async () => {
    for (const command of ['shutdown', 'rate_limit', 'POOL_GROW', '../pool_grow']) {
      expect(await post(`/api/control/${command}`, HEADERS, ['{}'])).toMatchObject({ status: 404 })
    }
    expect(asked).toEqual([])
  })

  it('gives what the command says against it', async () => {
    answer = { error: 'that is no number' }
    const { status, value } = await post('/api/control/pool_grow', HEADERS, ['{"n":"many"}'])
    expect({ status, value }).toEqual({ status: 400, value: { error: 'that is no number' } })
  })

  it.each([
    ['no token', {}],
    ['a wrong token', { authorization: `Bearer ${TOKEN.replace('a', 'b')}` }],
    ['a token with something behind it', { authorization: `Bearer ${TOKEN}x` }],
    ['the beginning of the token', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ['an empty token', { authorization: 'Bearer ' }],
    ['the token in another scheme', { authorization: `Basic ${TOKEN}` }],
  ])('refuses %s, and says so in the log without it', async (_, headers: Record<string, string>) => {
    const refused = await post('/api/control/pool_grow', { 'content-type': 'application/json', ...headers }, ['{}'])
    expect(refused).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="celeriac"' },
      value: { error: 'the token is wrong' },
    })
    expect(log.of('WARNING')).toEqual(['Control over HTTP: pool_grow from 127.0.0.1 refused: the token is wrong'])
    expect(asked).toEqual([])
  })

  it('warns of refusals once a minute, and says how many there were', async () => {
    const text = 'Control over HTTP: pool_grow from 127.0.0.1 refused: the token is wrong'
    const refused = () => post('/api/control/pool_grow', {}, ['{}'])
    await refused()
    clock.advance(59_999)
    await refused()
    await post('/api/control/pool_shrink', {}, ['{}'])
    expect(log.of('WARNING')).toEqual([text])
    expect(log.of('DEBUG')).toEqual([text, text.replace('grow', 'shrink')])
    clock.advance(1)
    await refused()
    await refused()
    clock.advance(60_000)
    await refused()
    clock.advance(60_000)
    await refused()
    expect(log.of('WARNING')).toEqual([
      text,
      `${text} (2 more refused since the last warning)`,
      `${text} (1 more refused since the last warning)`,
      text,
    ])
  })

  it.each([
    ['another origin', { origin: 'http://evil.example' }],
    ['an opaque origin', { origin: 'null' }],
    ['another port of this host', { origin: 'http://127.0.0.1:1' }],
    ['another site, as the browser says', { 'sec-fetch-site': 'cross-site' }],
    ['a sister site, as the browser says', { 'sec-fetch-site': 'same-site' }],
  ])('refuses a page of %s even with the token', async (_, headers: Record<string, string>) => {
    const refused = await post('/api/control/pool_grow', { ...HEADERS, ...headers }, ['{}'])
    expect(refused).toMatchObject({ status: 403, value: { error: 'the request comes from another site' } })
    expect(asked).toEqual([])
  })

  it('lets its own page in', async () => {
    const own = { origin: `http://127.0.0.1:${server.address?.port}`, 'sec-fetch-site': 'same-origin' }
    expect(await post('/api/control/pool_grow', { ...HEADERS, ...own }, ['{}'])).toMatchObject({ status: 200 })
  })

  it('takes JSON only, for a form of another page could send all else', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp']) {
      const headers = { ...HEADERS, 'content-type': type }
      expect(await post('/api/control/pool_grow', headers, ['{}'])).toMatchObject({ status: 415 })
    }
    const utf8 = { ...HEADERS, 'content-type': 'application/json; charset=utf-8' }
    expect(await post('/api/control/pool_grow', utf8, ['{}'])).toMatchObject({ status: 200 })
  })

  it.each(['', '{', '[]', 'null', '"n"', '7'])('refuses the body %j', async (body) => {
    expect(await post('/api/control/pool_grow', HEADERS, [body])).toMatchObject({
      status: 400,
      value: { error: 'the body has to be a JSON object' },
    })
    expect(asked).toEqual([])
  })

  it('refuses a body of more than 64 KiB, whether its length is told or not', async () => {
    const largest = JSON.stringify({ n: 'x'.repeat(64 * 1024 - 8) })
    expect(largest).toHaveLength(64 * 1024)
    expect(await post('/api/control/pool_grow', HEADERS, [largest])).toMatchObject({ status: 200 })
    const told = { ...HEADERS, 'content-length': String(largest.length + 1) }
    const tooLong = { status: 413, value: { error: 'the body is longer than 65536 bytes' } }
    expect(await post('/api/control/pool_grow', told, [largest, ' '])).toMatchObject(tooLong)
    expect(await post('/api/control/pool_grow', HEADERS, [largest, ' '])).toMatchObject(tooLong)
    expect(asked).toHaveLength(1)
  })
})
