import { connect } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { systemClock } from '../../lib/clock.js'
import type { RouteHandler, Routes } from '../../lib/health/route.js'
import { HttpServer } from '../../lib/health/server.js'
import { ask } from '../support/ask.js'
import { FakeClock } from '../support/fakeClock.js'
import { freePort } from '../support/freePort.js'
import { MemoryLog } from '../support/memoryLog.js'
import { waitFor } from '../support/waitFor.js'

const hello: RouteHandler = (_, response) => void response.end('hello')

describe('the HTTP server', () => {
  const running: HttpServer[] = []
  const log = new MemoryLog()

  afterEach(async () => {
    for (const server of running.splice(0)) await server.stop()
    log.lines.length = 0
  })

  function create(routes: Routes, options: { port?: number; asked?: boolean; clock?: FakeClock } = {}): HttpServer {
    const { asked = true, clock = systemClock, port = 0 } = options
    const server = new HttpServer({ address: { host: '127.0.0.1', port }, routes, asked, clock, log })
    running.push(server)
    return server
  }

  async function serve(routes: Record<string, RouteHandler>): Promise<number> {
    const server = create(new Map(Object.entries(routes)))
    await server.start()
    return portOf(server)
  }

  it('answers GET and HEAD, and takes no notice of the query', async () => {
    const port = await serve({ 'GET /x': hello })
    expect(await ask(port, '/x?y=1')).toMatchObject({ status: 200, body: 'hello' })
    expect(await ask(port, '/x', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' })
  })

  it('says that there is nothing, or nothing for this method', async () => {
    const port = await serve({ 'GET /x': hello, 'POST /do/*': hello })
    expect(await ask(port, '/y')).toMatchObject({ status: 404, body: 'there is nothing at /y\n' })
    const wrong = await ask(port, '/x', { method: 'DELETE' })
    expect(wrong).toMatchObject({ status: 405, body: '/x takes GET and HEAD only\n' })
    expect(wrong.headers.allow).toBe('GET, HEAD')
    expect((await ask(port, '/do/it')).headers.allow).toBe('POST')
  })

  it('gives every path below a route that ends in a star to it', async () => {
    const port = await serve({ 'POST /do/*': (request, response) => void response.end(request.url) })
    expect(await ask(port, '/do/a/b', { method: 'POST' })).toMatchObject({ status: 200, body: '/do/a/b' })
    expect(await ask(port, '/do', { method: 'POST' })).toMatchObject({ status: 404 })
  })

  it('tells who asked nothing of a fault, and the log all', async () => {
    const port = await serve({
      'GET /x': async () => {
        throw new Error('the password is hunter2')
      },
    })
    const answer = await ask(port, '/x')
    expect(answer.status).toBe(500)
    expect(answer.body).not.toContain('hunter2')
    expect(log.of('ERROR')).toEqual(['HTTP: GET /x failed: the password is hunter2'])
  })

  it('refuses, while only this machine can reach it, a request that was meant for another name', async () => {
    const port = await serve({ 'GET /x': hello })
    const statusFor = async (host: string): Promise<number> => (await ask(port, '/x', { headers: { host } })).status
    expect(await statusFor('evil.example')).toBe(421)
    expect(await statusFor(`evil.example:${port}`)).toBe(421)
    expect(await statusFor(`localhost:${port}`)).toBe(200)
    expect(await statusFor(`[::1]:${port}`)).toBe(200)
  })

  it('refuses headers of more than 8 KiB', async () => {
    const port = await serve({ 'GET /x': hello })
    expect((await ask(port, '/x', { headers: { 'x-long': 'x'.repeat(9000) } })).status).toBe(431)
  })

  it('cuts off a connection that is left open when it stops', async () => {
    const port = await serve({ 'GET /x': hello })
    const socket = connect(port, '127.0.0.1')
    await new Promise((resolve) => socket.once('connect', resolve))
    const closed = new Promise((resolve) => socket.once('close', resolve))
    await running[0]?.stop()
    await closed
    await expect(ask(port, '/x')).rejects.toThrow('ECONNREFUSED')
  })

  it('waits for its address while another has it, and says so once', async () => {
    const port = await freePort()
    const first = create(new Map([['GET /x', hello]]), { port })
    await first.start()
    const clock = new FakeClock()
    const second = create(new Map([['GET /x', hello]]), { port, clock })
    await second.start()
    expect(second.address).toBeNull()
    clock.advance(5_000)
    await waitFor(() => clock.pending === 1, { what: 'the second try' })
    expect(log.of('WARNING')).toHaveLength(1)
    expect(log.of('WARNING')[0]).toContain(`HTTP: 127.0.0.1:${port} is in use.`)
    await first.stop()
    clock.advance(5_000)
    await waitFor(() => second.address !== null, { what: 'the second server to get its address' })
    expect((await ask(port, '/x')).status).toBe(200)
  })

  it('warns of nothing where the address is only the default', async () => {
    const port = await freePort()
    await create(new Map(), { port }).start()
    await create(new Map(), { port, asked: false }).start()
    expect(log.of('WARNING')).toEqual([])
    expect(log.of('INFO').at(-1)).toContain('is in use')
  })

  it('can be stopped before it was started, and twice', async () => {
    const server = create(new Map())
    await server.stop()
    await server.start()
    expect(server.address).toBeNull()
    await server.stop()
  })
})

function portOf(server: HttpServer): number {
  if (!server.address) throw new Error('the server does not listen')
  return server.address.port
}
