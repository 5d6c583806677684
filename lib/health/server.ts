import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Component } from '../component.js'
import { coerceError } from '../errors.js'
import type { Clock, Logger, Timer } from '../ports.js'
import { type Address, showAddress } from '../settings/address.js'
import { Guests } from './guests.js'
import type { RouteHandler, Routes } from './route.js'

/** Milliseconds between two attempts to listen. */
const RETRY_MS = 5_000
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|::1)$/i
/** Small: the clients are a probe, a scraper or one browser. The largest header of a request is its token. */
const LIMITS = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
} as const

export interface HttpServerOptions {
  readonly address: Address
  /** A path that ends in `/*` matches every path below it; `GET` also answers `HEAD`. */
  readonly routes: Routes
  /** True if this address was configured; otherwise it is not worth a warning if it is in use. */
  readonly asked: boolean
  readonly clock: Clock
  readonly log: Logger
}

/**
 * The HTTP server. An address in use doesn't keep the worker from its work: it is tried again until it is free, as in a
 * rolling restart, where the old worker holds it until its last task has ended.
 */
export class HttpServer implements Component {
  readonly name = 'http'
  private server: Server | null = null
  private retry: Timer | null = null
  private stopped = false
  private told = false

  constructor(private readonly options: HttpServerOptions) {}

  /** Address of the server; null while it doesn't listen. */
  get address(): Address | null {
    const bound = this.server?.address()
    return bound && typeof bound === 'object' ? { host: bound.address, port: bound.port } : null
  }

  async start(): Promise<void> {
    if (!this.server && !this.stopped) await this.listen()
  }

  /** Answers no further request, and closes all connections, answered or not. */
  async stop(): Promise<void> {
    this.stopped = true
    this.retry?.cancel()
    const { server } = this
    this.server = null
    if (!server) return
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }

  private listen(): Promise<void> {
    const { address, log } = this.options
    const guests = new Guests(this.options.clock)
    const server = createServer(LIMITS, (request, response) => {
      if (guests.serve(request, response)) void this.answer(request, response)
    })
    server.on('connection', (socket) => guests.admit(socket))
    return new Promise((resolve) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        this.failed(error)
        resolve()
      })
      server.listen({ host: address.host, port: address.port }, () => {
        server.removeAllListeners('error')
        server.on('error', (error) => log.error(`HTTP: ${error.message}`))
        if (this.stopped) server.close()
        else this.server = server
        const at = this.address
        if (at) log.info(`HTTP on ${showAddress(at)}: /livez, /readyz, /metrics, and a page at /`)
        resolve()
      })
    })
  }

  private failed(error: NodeJS.ErrnoException): void {
    const { address, asked, clock, log } = this.options
    if (this.stopped) return
    if (!this.told) {
      const why = error.code === 'EADDRINUSE' ? 'is in use' : `can't be used: ${error.message}`
      const text = `HTTP: ${showAddress(address)} ${why}. The worker continues without probes and metrics and tries again every ${RETRY_MS / 1000} seconds. Choose another address with --http, or turn HTTP off with --without-http.`
      if (asked) log.warning(text)
      else log.info(text)
    }
    this.told = true
    this.retry = clock.setTimer(() => void this.listen(), RETRY_MS)
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { log } = this.options
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '')
    const path = (request.url ?? '').split(/[?#]/, 1)[0] ?? ''
    response.setHeader('Cache-Control', 'no-store')
    response.setHeader('X-Content-Type-Options', 'nosniff')
    try {
      if (this.isMisdirected(request)) return refuse(response, 421, 'this server answers to names of this machine only')
      const handler = this.find(method, path)
      if (handler) return await handler(request, response)
      const methods = ['GET', 'HEAD', 'POST'].filter((other) => this.find(other === 'HEAD' ? 'GET' : other, path))
      if (methods.length === 0) return refuse(response, 404, `there is nothing at ${path.slice(0, 200)}`)
      response.setHeader('Allow', methods.join(', '))
      refuse(response, 405, `${path} takes ${methods.join(' and ')} only`)
    } catch (thrown) {
      log.error(`HTTP: ${method} ${path} failed: ${coerceError(thrown).message}`, { error: coerceError(thrown) })
      if (response.headersSent) response.destroy()
      else refuse(response, 500, 'this request failed; see the log of the worker')
    }
  }

  private find(method: string, path: string): RouteHandler | undefined {
    const { routes } = this.options
    const exact = routes.get(`${method} ${path}`)
    if (exact) return exact
    for (const [route, handler] of routes) {
      if (route.endsWith('/*') && `${method} ${path}`.startsWith(route.slice(0, -1))) return handler
    }
    return undefined
  }

  /**
   * Returns whether the `Host` header is a foreign name that was made to point here: a page of that name must not read
   * what only this machine may see.
   */
  private isMisdirected({ headers }: IncomingMessage): boolean {
    if (!LOOPBACK.test(this.options.address.host)) return false
    const host = (headers.host ?? '').replace(/:\d+$/, '')
    return host !== '' && !LOOPBACK.test(host)
  }
}

/** Ends a response with a line of text. */
function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`)
}

/** Ends a response with a value as JSON. */
export function answerJson(response: ServerResponse, status: number, value: unknown): void {
  response
    .writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' })
    .end(`${JSON.stringify(value, null, 2)}\n`)
}
