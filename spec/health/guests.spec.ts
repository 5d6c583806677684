import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { LONGEST_ANSWER_MS, MOST_CONNECTIONS } from '../../lib/health/guests.js'
import type { RouteHandler } from '../../lib/health/route.js'
import { HttpServer } from '../../lib/health/server.js'
import { ask } from '../support/ask.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'
import { waitFor } from '../support/waitFor.js'

/** More than the buffers between two programs hold. */
const LARGE = Buffer.alloc(16 * 1024 * 1024)
const CROWD = 2 * MOST_CONNECTIONS

describe('whoever asks the HTTP server', () => {
  let server: HttpServer
  let clock: FakeClock
  let port: number
  let asked: number
  let sockets: Socket[]

  beforeEach(async () => {
    asked = 0
    sockets = []
    clock = new FakeClock()
    const large: RouteHandler = (_, response) => {
      asked++
      response.end(LARGE)
    }
    const routes = new Map([
      ['GET /metrics', large],
      ['GET /livez', (_, response) => void response.end('alive')],
      ['GET /readyz', (_, response) => void response.end('ready')],
      ['POST /api/control/revoke', (_, response) => void response.writeHead(401).end()],
    ] satisfies [string, RouteHandler][])
    server = new HttpServer({
      address: { host: '127.0.0.1', port: 0 },
      routes,
      asked: true,
      clock,
      log: new MemoryLog(),
    })
    await server.start()
    port = server.address?.port ?? 0
  })

  afterEach(async () => {
    for (const socket of sockets) socket.destroy()
    await server.stop()
  })

  /** A client that sends this and reads nothing. */
  async function client(text: string): Promise<Socket> {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    sockets.push(socket)
    await once(socket, 'connect')
    socket.pause()
    socket.write(text)
    return socket
  }

  async function crowd(text: string): Promise<void> {
    for (let n = 0; n < CROWD; n++) {
      await client(text)
      clock.advance(1)
    }
  }

  const request = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`

  it.each([
    ['pipelines and never reads', request('/metrics').repeat(100)],
    ['asks once and never reads', request('/metrics')],
    ['says nothing', ''],
    ['never ends its headers', 'GET /metrics HTTP/1.1\r\nX-A: '],
    ['holds on to a connection that it has no more use for', request('/livez')],
    ['sends a body without an end', request('/livez', 'Content-Length: 1000000000\r\n')],
    ['never sends the body that it promised', `POST /api/control/revoke HTTP/1.1\r\nContent-Length: 9\r\n\r\n`],
  ])('gets its probe through a crowd in which each %s', async (_what, text) => {
    await crowd(text)
    for (let n = 0; n < 20; n++) {
      expect(await ask(port, '/livez')).toMatchObject({ status: 200, body: 'alive' })
      expect(await ask(port, '/readyz')).toMatchObject({ status: 200, body: 'ready' })
    }
  })

  it('takes the place of who has gone longest without an answer, not of one that was just served', async () => {
    const page = await client(request('/livez'))
    const served = new Promise((resolve) => page.once('data', resolve))
    page.resume()
    await served
    for (let n = 0; n < 3 * MOST_CONNECTIONS; n++) {
      await client('GET /me')
      clock.advance(1)
      if (n % 16 !== 0) continue
      page.write(request('/livez'))
      await once(page, 'data')
    }
    expect(page.destroyed).toBe(false)
  })

  it('gets one answer at a time: what is asked for before it was taken costs nothing, and the connection', async () => {
    const socket = await client(request('/metrics').repeat(1000))
    await waitFor(() => asked > 0, { what: 'the first answer' })
    await ask(port, '/livez')
    expect(asked).toBe(1)
    let taken = 0
    socket.on('data', (data) => {
      taken += data.length
    })
    socket.resume()
    await once(socket, 'close')
    expect(taken).toBeGreaterThan(LARGE.length / 2)
    expect(asked).toBe(1)
  })

  it('is cut off when it has not taken its answer in time', async () => {
    const socket = await client(request('/metrics'))
    await waitFor(() => asked === 1, { what: 'the answer' })
    clock.advance(LONGEST_ANSWER_MS)
    socket.resume()
    await once(socket, 'close')
    expect(socket.bytesRead).toBeLessThan(LARGE.length)
  })

  it('is cut off when it sends a body that nobody wants, once it has its answer', async () => {
    const socket = await client(request('/livez', 'Content-Length: 1000000000\r\n'))
    socket.resume()
    await once(socket, 'close')
  })

  it('may ask again on the same connection when it has taken its answer', async () => {
    const socket = await client('')
    for (let n = 0; n < 3; n++) {
      const answer = once(socket, 'data')
      socket.resume()
      socket.write(request('/livez'))
      expect(String((await answer)[0])).toMatch(/alive$/)
    }
  })
})
